"""Run the site. By default, web and inference run in one process, with blocking engines in child processes. With
REDIS_URL, only the web side runs."""

import asyncio
import logging
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from channels.layers import get_channel_layer
from django.conf import settings
from django.core.management import BaseCommand, CommandError, call_command
from django.db import OperationalError, connection
from django.db.migrations.executor import MigrationExecutor
from prometheus_client import REGISTRY
from twisted.internet import reactor as twisted_reactor
from twisted.internet.defer import Deferred

from accounts.models import User
from inference.loading.device import visible_gpus
from inference.management.exit_deadline import arm_exit_deadline
from inference.management.options import Choice, add_engine_arguments, chosen_engines
from inference.management.tracing import TracingUnusable, start_tracing, stop_tracing
from inference.observability.metrics import GraphicsCards
from inference.worker import Worker, run_workers, why_unusable
from operations.private_files import make_private
from operations.report.process_report import ProcessReporter
from operations.server import Server
from speech.gateway.link import Link
from speech.uploads.runner import Runner
from webhooks.sender import Sender

logger = logging.getLogger("speech")

reactor: Any = twisted_reactor  # the type stubs don't cover it

SWITCH_INTERVAL = 0.0005
"""Seconds after which a computing thread yields the GIL to the event loop. With Python's default of 5 ms, paid at each
system call, the loop lags when many streams start at once."""
DATABASE_TIMEOUT = 30.0
"""Seconds for which a database that does not respond is waited for."""


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: Any) -> None:
        add_engine_arguments(parser)

    def handle(self, **options: Any) -> None:
        sys.setswitchinterval(SWITCH_INTERVAL)
        make_private(settings.DATA_DIR, settings.AUDIO_DIR)
        try:
            start_tracing("web")
        except TracingUnusable as error:
            raise CommandError(str(error)) from None
        greeting = self._prepare_database()
        server = Server(settings.HOST, settings.PORT, arm_exit_deadline)
        reactor.callWhenRunning(self.stdout.write, greeting)
        reactor.callWhenRunning(_discover_engines)
        reactor.callWhenRunning(_log_state_on_signal)
        reactor.callWhenRunning(_send_webhooks)
        if not settings.REDIS_URL:
            REGISTRY.register(GraphicsCards())
            layer = get_channel_layer()
            choices = chosen_engines(**options)
            _mention_other_gpus(choices)
            workers = [Worker(layer, info, slots) for info, slots in choices]
            reactor.callWhenRunning(self._run_in_background, partial(run_workers, workers))
        reactor.callWhenRunning(self._run_in_background, Runner().run)
        reactor.callWhenRunning(self._run_in_background, ProcessReporter().run)
        server.run()
        stop_tracing()
        if server.failed:
            sys.exit(1)

    def _prepare_database(self) -> str:
        """Migrate, and return the greeting. A database that starts or restarts at the same time is waited for."""
        deadline = time.monotonic() + DATABASE_TIMEOUT
        while True:
            try:
                _migrate()
                return _greeting()
            except OperationalError as error:
                if time.monotonic() > deadline:
                    raise CommandError(
                        f"Can't connect to the database: {error}Check DATABASE_URL and that the server is running."
                    ) from None
                logger.warning("can't connect to the database; trying again for %.0f s: %s", DATABASE_TIMEOUT, error)
                connection.close()
                time.sleep(1)

    def _run_in_background(self, run: Callable[[], Awaitable[None]]) -> None:
        task = asyncio.ensure_future(run())
        task.add_done_callback(self._stop_if_failed)
        reactor.addSystemEventTrigger("during", "shutdown", lambda: _cancel(task))

    def _stop_if_failed(self, task: "asyncio.Task[None]") -> None:
        if not task.cancelled() and (error := task.exception()):
            self.stderr.write("\n".join(why_unusable(error)) or f"A background task failed: {error!r}")
            reactor.stop()


def _mention_other_gpus(choices: list[Choice]) -> None:
    if any(info.uses_torch for info, _ in choices) and (gpus := len(visible_gpus())) > 1:
        logger.info(
            "this process uses one of %d GPUs. To use all, set REDIS_URL and run the engines with "
            "`manage.py inference --gpus all`",
            gpus,
        )


def _migrate() -> None:
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):  # because `migrate` takes a second to do nothing
        with _migration_lock():
            call_command("migrate", interactive=False, verbosity=0)


@contextmanager
def _migration_lock() -> Iterator[None]:
    """Advisory lock on PostgreSQL, so that web processes that start together don't run migrations concurrently."""
    if connection.vendor != "postgresql":
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")  # migrating a large table takes long
        cursor.execute("SELECT pg_advisory_lock(hashtext('migrate'))")
        try:
            yield
        finally:
            cursor.execute("SELECT pg_advisory_unlock(hashtext('migrate'))")
            cursor.execute("SET statement_timeout TO DEFAULT")


def _greeting() -> str:
    hint = "" if User.objects.exists() else "\n  Sign up to create the administrator account."
    return f"\n  {settings.SITE_NAME} is running at {settings.SITE_URL}{hint}\n"


def _cancel(task: "asyncio.Task[None]") -> Deferred:
    """Cancel a task. The deferred fires when it has ended."""
    task.cancel()
    return Deferred.fromFuture(asyncio.gather(task, return_exceptions=True))


def _send_webhooks() -> None:
    task = asyncio.ensure_future(Sender().run())
    reactor.addSystemEventTrigger("during", "shutdown", lambda: _cancel(task))


def _discover_engines() -> None:
    """Start receiving engine heartbeats, so that the first page doesn't have to wait for them."""
    asyncio.get_event_loop().call_soon(Link.current)


def _log_state_on_signal() -> None:
    """Log the process state on `kill -USR1`."""

    def log_state() -> None:
        logger.info("%d tasks, %s", len(asyncio.all_tasks()), Link.current().state())

    asyncio.get_event_loop().add_signal_handler(signal.SIGUSR1, log_state)
