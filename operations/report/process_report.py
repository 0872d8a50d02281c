"""What runs where: every web process answers who asks with what it has, and ends a stream that it is told to end."""

import asyncio
import resource
import sys
from contextlib import suppress
from typing import Any

import msgspec
from channels.layers import get_channel_layer
from django.conf import settings

from inference.messages import WEB_GROUP, LoggedError, process_name
from inference.observability.recent_errors import RECENT_ERRORS
from speech.errors import EndedByAdmin
from speech.gateway.active_streams import ACTIVE
from speech.gateway.link import Link

ASKED, END = "census", "end a stream"
"""Topics of notices."""
ANSWERS_WITHIN, QUIET_AFTER = 1.5, 0.4
"""Seconds for all answers, and since the last one. A process that hangs is missing from them."""
MAX_STREAMS = 500
"""Of a process, the oldest."""


class StreamReport(msgspec.Struct):
    id: str
    kind: str
    owner: str  # e-mail address
    engine: str  # "" while it waits for a slot
    lag: float  # seconds
    began: float  # unix time


class ProcessReport(msgspec.Struct):
    name: str  # on which machine, and its number there
    version: str
    began: float  # unix time
    memory_mb: float
    tasks: int
    streams: int
    running: list[StreamReport]
    recent_errors: list[LoggedError]


class ProcessReporter:
    """The part of a web process that answers."""

    def __init__(self) -> None:
        self._replies: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Until cancelled."""
        link = Link.current()
        with link.subscribed(ASKED, self._on_request), link.subscribed(END, _end):
            await asyncio.Event().wait()

    def _on_request(self, notice: dict[str, Any]) -> None:
        task = asyncio.create_task(self._answer(notice["reply_to"]))
        self._replies.add(task)
        task.add_done_callback(self._replies.discard)

    async def _answer(self, channel: str) -> None:
        told = msgspec.msgpack.encode(self._report())
        await get_channel_layer().send(channel, {"type": "census", "data": told})

    def _report(self) -> ProcessReport:
        oldest = sorted(ACTIVE, key=lambda job: job.began)[:MAX_STREAMS]
        return ProcessReport(
            name=process_name(),
            version=settings.VERSION,
            began=settings.STARTED.timestamp(),
            memory_mb=memory_mb(),
            tasks=len(asyncio.all_tasks()),
            streams=len(ACTIVE),
            running=[
                StreamReport(str(job.id), job.kind, job.owner.email, job.engine_name, round(job.lag, 1), job.began)
                for job in oldest
            ],
            recent_errors=RECENT_ERRORS.latest(),
        )


def _end(notice: dict[str, Any]) -> None:
    for job in list(ACTIVE):
        if str(job.id) == notice["stream"]:
            job.fail(EndedByAdmin())


async def processes() -> list[ProcessReport]:
    """The web processes that answer, by name. Raises what the channel layer does."""
    layer = get_channel_layer()
    channel = await layer.new_channel()
    await layer.group_send(WEB_GROUP, {"type": "notice", "topic": ASKED, "data": {"reply_to": channel}})
    found: list[ProcessReport] = []
    with suppress(TimeoutError):
        async with asyncio.timeout(ANSWERS_WITHIN):
            while True:
                message = await asyncio.wait_for(layer.receive(channel), QUIET_AFTER)
                found.append(msgspec.msgpack.decode(message["data"], type=ProcessReport))
    return sorted(found, key=lambda process: process.name)


def memory_mb() -> float:
    """At its most, of this process."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / 1e6 if sys.platform == "darwin" else most / 1e3
