"""The site. With nothing configured it is everything in one process: the web side and the inference schedulers on one
event loop, engines that would hold it up in child processes. With REDIS_URL it is the web side alone."""

import asyncio
import logging
import signal
import sys
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
from inference.management.exit_deadline import arm_exit_deadline
from inference.management.options import add_engine_arguments, chosen_engines
from inference.management.tracing import TracingUnusable, begin_tracing, end_tracing
from inference.observability.metrics import GraphicsCards
from inference.worker import Worker, run_workers, why_unusable
from operations.report.process_report import ProcessReporter
from operations.server import Server
from speech.gateway.link import Link
from speech.uploads.runner import Runner
from webhooks.sender import Sender

logger = logging.getLogger("speech")

reactor: Any = twisted_reactor  # its type stubs do not know what it is

GIVES_WAY_EVERY = 0.0005
"""Seconds after which a thread that computes lets the event loop go on. Python's own 5 ms, at each of its system calls,
make it late where many streams begin at once."""


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: Any) -> None:
        add_engine_arguments(parser)

    def handle(self, **options: Any) -> None:
        sys.setswitchinterval(GIVES_WAY_EVERY)
        try:
            begin_tracing("web")
            _migrate()
        except TracingUnusable as error:
            raise CommandError(str(error)) from None
        except OperationalError as error:
            raise CommandError(
                f"The database does not answer: {error}Is DATABASE_URL right, and does it run?"
            ) from None
        server = Server(settings.HOST, settings.PORT, arm_exit_deadline)
        reactor.callWhenRunning(self.stdout.write, _greeting())
        reactor.callWhenRunning(_get_to_know_engines)
        reactor.callWhenRunning(_tell_state_on_signal)
        reactor.callWhenRunning(_send_webhooks)
        if not settings.REDIS_URL:
            REGISTRY.register(GraphicsCards())
            layer = get_channel_layer()
            workers = [Worker(layer, info, slots) for info, slots in chosen_engines(**options)]
            reactor.callWhenRunning(self._run_beside, partial(run_workers, workers))
        reactor.callWhenRunning(self._run_beside, Runner().run)
        reactor.callWhenRunning(self._run_beside, ProcessReporter().run)
        server.run()
        end_tracing()
        if server.failed:
            sys.exit(1)

    def _run_beside(self, part: Callable[[], Awaitable[None]]) -> None:
        task = asyncio.ensure_future(part())
        task.add_done_callback(self._end_if_failed)
        reactor.addSystemEventTrigger("during", "shutdown", lambda: _ended(task))

    def _end_if_failed(self, task: "asyncio.Task[None]") -> None:
        if not task.cancelled() and (error := task.exception()):
            self.stderr.write("\n".join(why_unusable(error)) or f"A part of the site failed: {error!r}")
            reactor.stop()


def _migrate() -> None:
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):  # else `migrate` takes a second to do nothing
        with _one_after_another():
            call_command("migrate", interactive=False, verbosity=0)


@contextmanager
def _one_after_another() -> Iterator[None]:
    """Web processes that start together on one PostgreSQL would stumble over each other's migrations."""
    if connection.vendor != "postgresql":
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")  # a large table takes its time
        cursor.execute("SELECT pg_advisory_lock(hashtext('migrate'))")
        try:
            yield
        finally:
            cursor.execute("SELECT pg_advisory_unlock(hashtext('migrate'))")
            cursor.execute("SET statement_timeout TO DEFAULT")


def _greeting() -> str:
    first = "" if User.objects.exists() else "\n  Sign up there: the first account becomes the administrator."
    return f"\n  {settings.SITE_NAME} is at {settings.SITE_URL}{first}\n"


def _ended(task: "asyncio.Task[None]") -> Deferred:
    task.cancel()
    return Deferred.fromFuture(asyncio.gather(task, return_exceptions=True))


def _send_webhooks() -> None:
    task = asyncio.ensure_future(Sender().run())
    reactor.addSystemEventTrigger("during", "shutdown", lambda: _ended(task))


def _get_to_know_engines() -> None:
    """The first page then need not wait for their heartbeats."""
    asyncio.get_event_loop().call_soon(Link.current)


def _tell_state_on_signal() -> None:
    """`kill -USR1` writes to the log what is going on."""

    def tell() -> None:
        logger.info("%d tasks, %s", len(asyncio.all_tasks()), Link.current().state())

    asyncio.get_event_loop().add_signal_handler(signal.SIGUSR1, tell)
