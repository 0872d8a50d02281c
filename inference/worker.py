"""Connects the channel layer with the scheduler: admission, bundles in and out, heartbeat."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Coroutine
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import msgspec

from inference import messages
from inference.engine import EngineUnusable
from inference.engines.registry import EngineInfo
from inference.executors.index import executors_for
from inference.messages import Down, Kind, Open, Ready, Reassign, Status
from inference.observability.recent_errors import RECENT_ERRORS, Outage
from inference.outbox import Layer, Outbox, decode_up
from inference.scheduler import Scheduler
from inference.streams.base import Stream

logger = logging.getLogger(__name__)

HEARTBEAT_INTERVAL = 0.2  # seconds
VOICES_INTERVAL = 5  # heartbeats
SHUTDOWN_TIMEOUT = 2.0
"""Seconds to notify the web processes, if the channel layer responds."""
RESERVED_FOR = 5.0
"""Seconds for which a slot that was taken from an account is kept from it: engines release it after their step."""


@dataclass
class Reservation:
    """A slot that was taken from an account and goes to another one, which waits further back in the queue."""

    holder: str
    expires_at: float = field(default_factory=lambda: time.monotonic() + RESERVED_FOR)
    passed: set[str] = field(default_factory=set)
    """The holder's streams whose requests went to the end of the queue."""


class Worker:
    """One engine of an inference process, or of the one-process default."""

    def __init__(self, layer: Layer, info: EngineInfo, slots: int = 0) -> None:
        self._layer = layer
        self._info = info
        self._scheduler = Scheduler(executors_for(info, slots or info.default_slots), self._send, info.kind, info.name)
        self._outbox = Outbox(layer)
        self._address = ""
        self._stopping = False
        self._reservations: dict[str, Reservation] = {}  # by the account that gets the slot
        self._outage = Outage(logger, "channel layer")

    @property
    def kind(self) -> Kind:
        return self._info.kind

    async def run(self) -> None:
        """Serve until cancelled; then close all streams, which move to another process."""
        self._address = await self._layer.new_channel()
        try:
            async with asyncio.TaskGroup() as tasks:
                for coroutine in self._coroutines():
                    tasks.create_task(coroutine)
        finally:
            await self._shutdown()

    async def wait_until_up(self) -> str:
        """Wait until the engine is up; returns a description with its number of slots."""
        await self._scheduler.is_up.wait()
        limits = f" ({self._scheduler.slot_limits})" if self._scheduler.slot_limits else ""
        return f"{self._info.label}, {self._scheduler.slots} slots{limits}"

    def _coroutines(self) -> list[Coroutine[None, None, None]]:
        return [self._scheduler.run(), self._outbox.run(), self._admit(), self._receive(), self._send_heartbeats()]

    async def _admit(self) -> None:
        """Receive requests only while a slot is free, so that a full process leaves them to others."""
        while True:
            await self._scheduler.slot_is_free.wait()
            message = await self._receive_from(messages.queue_name(self._info.name))
            try:
                request = msgspec.msgpack.decode(message["data"], type=Open)
            except msgspec.MsgspecError:
                logger.exception("invalid request for a slot")  # of a web process of another version
                continue
            if request.deadline < time.time():
                continue
            if self._must_wait(request) and await self._put_back(message):
                continue
            if stream := self._scheduler.open(request):
                self._send(stream, Ready(self._address))

    def _must_wait(self, request: Open) -> bool:
        """Whether the free slot was taken from the account that requests it, for another one."""
        self._reservations = {a: r for a, r in self._reservations.items() if r.expires_at > time.monotonic()}
        if self._reservations.pop(request.account, None):
            return False
        for account, reservation in list(self._reservations.items()):
            if reservation.holder != request.account:
                continue
            if request.stream in reservation.passed:  # the whole queue went by: the other account is gone
                del self._reservations[account]
                continue
            reservation.passed.add(request.stream)
            return True
        return False

    async def _put_back(self, message: dict[str, Any]) -> bool:
        """Move a request to the end of the queue. False if there is no room."""
        try:
            await self._layer.send(messages.queue_name(self._info.name), {"type": "open", "data": message["data"]})
        except Exception as error:
            self._outage.record(error)
            return False
        return True

    async def _receive(self) -> None:
        while True:
            message = await self._receive_from(self._address)
            try:
                items = decode_up(message["data"])
            except msgspec.MsgspecError:
                logger.exception("invalid messages")  # of a web process of another version
                continue
            for stream, seq, item in items:
                if isinstance(item, Reassign):
                    self._reassign(item)
                else:
                    self._scheduler.receive(stream, seq, item)

    def _reassign(self, item: Reassign) -> None:
        pending = self._reservations.get(item.account)
        if pending and pending.expires_at > time.monotonic():
            return  # one slot after another
        if self._scheduler.reassign(item):
            self._reservations[item.account] = Reservation(item.holder)

    async def _send_heartbeats(self) -> None:
        for number in count():
            await self._send_status(with_voices=number % VOICES_INTERVAL == 0)
            await asyncio.sleep(HEARTBEAT_INTERVAL)

    def _send(self, stream: Stream, message: Down) -> None:
        stream.trace.on_message(message)
        self._outbox.put(stream.reply_to, (stream.id, next(stream.sent), message))

    async def _shutdown(self) -> None:
        self._stopping = True
        self._scheduler.evict_all("the inference process is shutting down")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SHUTDOWN_TIMEOUT):
                await self._outbox.flush()
                await self._send_status()

    async def _send_status(self, with_voices: bool = False) -> None:
        status = Status(
            worker=self._address,
            engine=self._info.name,
            label=self._info.label,
            languages=self._info.languages,
            slots=self._scheduler.slots,
            free=self._scheduler.free,
            stopping=self._stopping,
            kind=self._info.kind,
            controls=self._info.controls,
            voices=self._scheduler.voices or None if with_voices else None,
            endpointing=self._info.preset.endpointing if self._info.preset else None,
            progress=self._scheduler.progress,
            upgrade=self._info.upgrade,
            step_latencies=self._scheduler.step_latencies,
            process=messages.process_name(),
            recent_errors=RECENT_ERRORS.latest() if with_voices else None,
            accounts=dict(self._scheduler.accounts),
            measured_at=self._scheduler.measured_at,
            translates=self._info.translates,
            slot_limits=self._scheduler.slot_limits,
        )
        try:
            await self._layer.group_send(messages.WEB_GROUP, {"type": "status", "data": msgspec.msgpack.encode(status)})
        except Exception as error:  # the layer is unavailable; the next heartbeat tries again
            self._outage.record(error)
        else:
            self._outage.recovered()

    async def _receive_from(self, channel: str) -> dict[str, bytes]:
        """The next message of a channel; retries while the layer is unavailable."""
        while True:
            try:
                return await self._layer.receive(channel)
            except Exception as error:
                self._outage.record(error)
                await asyncio.sleep(0.5)


def why_unusable(error: BaseException) -> list[str]:
    """The messages of all `EngineUnusable` errors in an exception group."""
    if isinstance(error, BaseExceptionGroup):
        return [reason for nested in error.exceptions for reason in why_unusable(nested)]
    return [str(error)] if isinstance(error, EngineUnusable) else []


async def run_workers(workers: list[Worker]) -> None:
    """Run several engines in one process, until cancelled or one fails.

    On one GPU text-to-speech engines start first: they use a few slots, a speech-to-text engine all remaining memory.
    """
    async with asyncio.TaskGroup() as tasks:
        for worker in sorted(workers, key=lambda worker: worker.kind == "stt"):
            tasks.create_task(worker.run())
