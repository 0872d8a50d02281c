"""Run a dedicated inference process, one per GPU or per CPU machine."""

import asyncio
import contextlib
import signal
from typing import Any

from channels.layers import get_channel_layer
from django.conf import settings
from django.core.management import BaseCommand, CommandError

from inference.engines.registry import EngineInfo
from inference.management.exit_deadline import arm_exit_deadline
from inference.management.metrics import serve_metrics
from inference.management.options import Choice, add_engine_arguments, chosen_engines
from inference.management.tracing import TracingUnusable, start_tracing, stop_tracing
from inference.worker import Worker, run_workers, why_unusable


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: Any) -> None:
        add_engine_arguments(parser)

    def handle(self, **options: Any) -> None:
        if not settings.REDIS_URL:
            raise CommandError(
                "A separate inference process needs Redis, but REDIS_URL isn't set. Set it for both, or run "
                "`manage.py serve` alone, which includes the engines."
            )
        if settings.METRICS_PORT:
            serve_metrics(settings.METRICS_PORT)
        choices = chosen_engines(**options)
        if not choices:
            raise CommandError("No engine to run. Set STT_ENGINE, TTS_ENGINE or --engine.")
        try:
            start_tracing("inference")
            with contextlib.suppress(asyncio.CancelledError, KeyboardInterrupt):
                asyncio.run(self._serve(choices))
        except TracingUnusable as error:
            raise CommandError(str(error)) from None
        except BaseExceptionGroup as error:
            if reasons := why_unusable(error):
                raise CommandError("\n".join(reasons)) from None
            raise
        finally:
            stop_tracing()

    async def _serve(self, choices: list[Choice]) -> None:
        task = asyncio.ensure_future(self._run(choices))

        def stop() -> None:
            arm_exit_deadline()
            task.cancel()

        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop)
        await task

    async def _run(self, choices: list[Choice]) -> None:
        layer = get_channel_layer()
        workers = [Worker(layer, info, slots) for info, slots in choices]
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(run_workers(workers))
            for (info, _), worker in zip(choices, workers, strict=True):
                tasks.create_task(self._report_when_up(info, worker))

    async def _report_when_up(self, info: EngineInfo, worker: Worker) -> None:
        self.stdout.write(f"Engine {info.label}, {await worker.wait_until_up()} slots")
        self.stdout.flush()
