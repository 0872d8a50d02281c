"""Run a dedicated inference process, one per GPU or per CPU machine. With --gpus, run one for each GPU."""

import asyncio
import contextlib
import signal
import sys
from argparse import SUPPRESS
from collections.abc import Callable, Coroutine
from typing import Any

from channels.layers import get_channel_layer
from django.conf import settings
from django.core.management import BaseCommand, CommandError

from inference.engines.registry import EngineInfo
from inference.management.devices import STARTED, run_devices
from inference.management.exit_deadline import arm_exit_deadline
from inference.management.metrics import serve_metrics
from inference.management.options import (
    Choice,
    add_device_arguments,
    add_engine_arguments,
    chosen_devices,
    chosen_engines,
    engine_arguments,
)
from inference.management.tracing import TracingUnusable, start_tracing, stop_tracing
from inference.worker import Worker, run_workers, why_unusable


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: Any) -> None:
        add_engine_arguments(parser)
        add_device_arguments(parser)
        parser.add_argument("--end-with-stdin", action="store_true", help=SUPPRESS)

    def handle(self, **options: Any) -> None:
        if not settings.REDIS_URL:
            raise CommandError(
                "A separate inference process needs Redis, but REDIS_URL isn't set. Set it for both, or run "
                "`manage.py serve` alone, which includes the engines."
            )
        choices = chosen_engines(**options)
        if not choices:
            raise CommandError("No engine to run. Set STT_ENGINE, TTS_ENGINE or --engine.")
        if devices := chosen_devices(**options):
            self._run_until_stopped(run_devices(devices, engine_arguments(**options)))
            return
        if settings.METRICS_PORT:
            serve_metrics(settings.METRICS_PORT)
        try:
            start_tracing("inference")
            self._run_until_stopped(self._run(choices), arm_exit_deadline, options["end_with_stdin"])
        except TracingUnusable as error:
            raise CommandError(str(error)) from None
        finally:
            stop_tracing()

    def _run_until_stopped(
        self, work: Coroutine[Any, Any, None], on_stop: Callable[[], None] | None = None, ends_with_stdin: bool = False
    ) -> None:
        try:
            with contextlib.suppress(asyncio.CancelledError, KeyboardInterrupt):
                asyncio.run(_cancel_on_signals(work, on_stop, ends_with_stdin))
        except BaseExceptionGroup as error:
            if reasons := why_unusable(error):
                raise CommandError("\n".join(reasons)) from None
            raise

    async def _run(self, choices: list[Choice]) -> None:
        layer = get_channel_layer()
        workers = [Worker(layer, info, slots) for info, slots in choices]
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(run_workers(workers))
            for (info, _), worker in zip(choices, workers, strict=True):
                tasks.create_task(self._report_when_up(info, worker))

    async def _report_when_up(self, info: EngineInfo, worker: Worker) -> None:
        self.stdout.write(f"{STARTED}{await worker.wait_until_up()}")
        self.stdout.flush()


async def _cancel_on_signals(
    work: Coroutine[Any, Any, None], on_stop: Callable[[], None] | None, ends_with_stdin: bool
) -> None:
    loop, task = asyncio.get_running_loop(), asyncio.ensure_future(work)

    def stop() -> None:
        if ends_with_stdin:
            loop.remove_reader(sys.stdin)
        if task.cancelling():
            return  # a service manager signals all processes, and so does the one that started this one
        if on_stop:
            on_stop()
        task.cancel()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    if ends_with_stdin:
        loop.add_reader(sys.stdin, stop)  # nothing is written to it, so it is readable when it has ended
    await task
