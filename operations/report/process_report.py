"""Reports of web processes: on request, every web process reports its streams and errors, or ends a stream."""

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

REPORT_REQUEST, END_STREAM = "process report", "end stream"
"""Topics of broadcasts."""
TOTAL_TIMEOUT, QUIET_TIMEOUT = 1.5, 0.4
"""Seconds to wait for all reports, and after the last one. A process that hangs is missing from the result."""
MAX_STREAMS = 500
"""Streams in a report, the oldest."""


class StreamReport(msgspec.Struct):
    id: str
    kind: str
    owner: str  # email address
    engine: str  # "" while it waits for a slot
    lag: float  # seconds
    started_at: float  # unix time


class ProcessReport(msgspec.Struct):
    name: str  # host:pid
    version: str
    started_at: float  # unix time
    memory_mb: float
    tasks: int
    streams: int
    running: list[StreamReport]
    recent_errors: list[LoggedError]


class ProcessReporter:
    """Sends reports of this web process on request."""

    def __init__(self) -> None:
        self._replies: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Serve requests until canceled."""
        link = Link.current()
        with link.subscribed(REPORT_REQUEST, self._on_request), link.subscribed(END_STREAM, _end_stream):
            await asyncio.Event().wait()

    def _on_request(self, notice: dict[str, Any]) -> None:
        task = asyncio.create_task(self._reply(notice["reply_to"]))
        self._replies.add(task)
        task.add_done_callback(self._replies.discard)

    async def _reply(self, channel: str) -> None:
        report = msgspec.msgpack.encode(self._report())
        await get_channel_layer().send(channel, {"type": "report", "data": report})

    def _report(self) -> ProcessReport:
        oldest = sorted(ACTIVE, key=lambda job: job.began)[:MAX_STREAMS]
        return ProcessReport(
            name=process_name(),
            version=settings.VERSION,
            started_at=settings.STARTED.timestamp(),
            memory_mb=memory_mb(),
            tasks=len(asyncio.all_tasks()),
            streams=len(ACTIVE),
            running=[
                StreamReport(str(job.id), job.kind, job.owner.email, job.engine_name, round(job.lag, 1), job.began)
                for job in oldest
            ],
            recent_errors=RECENT_ERRORS.latest(),
        )


def _end_stream(notice: dict[str, Any]) -> None:
    for job in list(ACTIVE):
        if str(job.id) == notice["stream"]:
            job.fail(EndedByAdmin())


async def processes() -> list[ProcessReport]:
    """Reports of the web processes that respond, sorted by name. Raises the channel layer's errors."""
    layer = get_channel_layer()
    channel = await layer.new_channel()
    await layer.group_send(WEB_GROUP, {"type": "notice", "topic": REPORT_REQUEST, "data": {"reply_to": channel}})
    reports: list[ProcessReport] = []
    with suppress(TimeoutError):
        async with asyncio.timeout(TOTAL_TIMEOUT):
            while True:
                message = await asyncio.wait_for(layer.receive(channel), QUIET_TIMEOUT)
                reports.append(msgspec.msgpack.decode(message["data"], type=ProcessReport))
    return sorted(reports, key=lambda report: report.name)


def memory_mb() -> float:
    """Peak memory of this process."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak / 1e3
