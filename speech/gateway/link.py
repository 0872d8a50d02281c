"""This process's one uplink and one downlink to the inference processes, shared by all its streams.

Requests for a slot go to the queue of an engine, where every inference process with a free slot reads; everything else
goes in bundles (`inference/outbox.py`). Heartbeats tell which inference processes are there.
"""

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any, ClassVar

import msgspec
from channels.exceptions import ChannelFull
from channels.layers import get_channel_layer

from inference.messages import (
    WEB_GROUP,
    Close,
    Down,
    Kind,
    LoggedError,
    Open,
    Ready,
    Status,
    StepLatencies,
    Voice,
    queue_name,
)
from inference.observability.recent_errors import Outage
from inference.observability.tracing import current_traceparent
from inference.outbox import Outbox, decode_down
from speech.errors import AtCapacity, NoEngine
from speech.gateway.connection import Connection
from speech.gateway.waitlist import Waitlist

logger = logging.getLogger(__name__)

HEARTBEAT_TIMEOUT = 0.9
"""Seconds without a heartbeat after which an inference process is taken for dead; four are due in it."""
WATCH_INTERVAL = 0.1
SEND_TIMEOUT = 2.0
DISCOVERY_TIMEOUT = 1.0
"""Seconds in which a new link has heard of every inference process that is not taken for dead."""
VOICES_TIMEOUT = 5.0
"""Seconds in which an engine that speaks is up and has told its voices."""
REJOIN_INTERVAL = 0.5
"""A membership of a group expires after a day, and a Redis that was restarted may have forgotten all of them."""


class Link:
    _current: ClassVar["Link | None"] = None

    @classmethod
    def current(cls) -> "Link":
        """The link of this process; made when first needed, in the event loop that needs it."""
        if cls._current is None or cls._current._loop is not asyncio.get_running_loop():
            cls._current = cls()
        return cls._current

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._began = time.monotonic()
        self._layer = get_channel_layer()
        self._address = ""
        self._connections: dict[str, Connection] = {}
        self._workers: dict[str, tuple[float, Status]] = {}  # when last heard of (monotonic), and what it said
        self._listeners: defaultdict[str, set[Callable[[dict[str, Any]], None]]] = defaultdict(set)
        self._voices: dict[str, list[Voice]] = {}  # by engine
        self._recent_errors: dict[str, list[LoggedError]] = {}  # by inference process
        self._free_since: dict[str, float] = {}  # per engine, monotonic: slots that nobody takes
        self._full_since: dict[str, float] = {}
        self._status_received = asyncio.Event()
        self._up = asyncio.Event()
        self.outbox = Outbox(self._layer)
        self.waitlist = Waitlist()
        self._outage = Outage(logger, "the channel layer")
        self._task = asyncio.create_task(self._run())

    # --- What streams ask of it -----------------------------------------------------------------------------------

    async def engines(self, kind: Kind = "stt") -> dict[str, Status]:
        """The engines of a kind that are there, by name, with the slots of all their inference processes."""
        with suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, self._began + DISCOVERY_TIMEOUT - time.monotonic())):
                while not self._engines(kind):
                    await self._status_received.wait()
        return self._engines(kind)

    def _engines(self, kind: Kind) -> dict[str, Status]:
        engines: dict[str, Status] = {}
        for _, status in self._workers.values():
            if status.kind != kind:
                continue
            known = engines.get(status.engine)
            engines[status.engine] = msgspec.structs.replace(
                status,
                slots=status.slots + (known.slots if known else 0),
                free=status.free + (known.free if known else 0),
                step_latencies=status.step_latencies + (known.step_latencies if known else StepLatencies()),
                voices=self._voices.get(status.engine),
            )
        return engines

    async def tts_engines(self) -> dict[str, Status]:
        """The engines that speak, by name, each with its voices; those that are starting are waited for."""
        with suppress(TimeoutError):
            async with asyncio.timeout(VOICES_TIMEOUT):
                while not all(status.voices for status in (await self.engines("tts")).values()):
                    await self._status_received.wait()
        return {name: status for name, status in self._engines("tts").items() if status.voices}

    def workers(self) -> list[Status]:
        """The inference processes that are there, once for each engine."""
        return [status for _, status in self._workers.values()]

    def recent_errors(self) -> dict[str, list[LoggedError]]:
        """What went wrong lately in inference processes, also in those that are gone."""
        return self._recent_errors

    def process_count(self, engine: str) -> int:
        """How many inference processes run it."""
        return sum(status.engine == engine for _, status in self._workers.values())

    def seconds_with_free_slots(self, engine: str) -> float:
        """Seconds. Where requests wait, a free slot is taken at once; if it is not, they were lost on the way."""
        return _seconds_since(self._free_since.get(engine))

    def seconds_full(self, engine: str) -> float:
        """Seconds."""
        return _seconds_since(self._full_since.get(engine))

    def startup_progress(self, engine: str) -> str | None:
        """What an engine is doing that is not up yet; None if it is."""
        notes = [
            status.progress for _, status in self._workers.values() if status.engine == engine and not status.slots
        ]
        return notes[0] if notes and engine not in self._free_since else None

    def state(self) -> str:
        """For the log: what a healthy process comes back to when nobody speaks."""
        statuses = [status for _, status in self._workers.values()]
        free, slots = sum(status.free for status in statuses), sum(status.slots for status in statuses)
        waiting = len(self.waitlist.local_entries())
        return f"{len(self._connections)} streams, {waiting} waiting, {free} of {slots} slots free"

    async def request_slot(
        self,
        engine: str,
        position: int,
        language: str,
        deadline: float,
        receive: Callable[[Down], None],
        **wishes: Any,
    ) -> Connection:
        """Ask for a slot until `deadline` (unix time), with `wishes` for other fields of `Open`. `Ready` is received
        when there is one.

        Raises `AtCapacity` if very many ask already, and `NoEngine` if the channel layer is away.
        """
        connection = Connection(self.outbox, self.forget, receive)
        self._connections[connection.id] = connection  # before it asks: the answer may come at once
        with ExitStack() as unless_asked:
            unless_asked.callback(self.forget, connection)
            try:
                async with asyncio.timeout(SEND_TIMEOUT):
                    await self._up.wait()
                    request = Open(
                        connection.id,
                        self._address,
                        deadline,
                        position,
                        language,
                        trace=current_traceparent(),
                        **wishes,
                    )
                    await self._layer.send(
                        queue_name(engine), {"type": "open", "data": msgspec.msgpack.encode(request)}
                    )
            except ChannelFull:
                raise AtCapacity(why="Very many are waiting already.") from None
            except Exception as error:
                self._outage.record(error)
                raise NoEngine(why="What connects this site with its engines does not answer.") from error
            unless_asked.pop_all()
        return connection

    def forget(self, connection: Connection) -> None:
        self._connections.pop(connection.id, None)

    @contextmanager
    def subscribed(self, topic: str, listener: Callable[[dict[str, Any]], None]) -> Iterator[None]:
        """Have `listener` called with what `notices.notify` tells the web processes about a topic."""
        self._listeners[topic].add(listener)
        try:
            yield
        finally:
            self._listeners[topic].discard(listener)
            if not self._listeners[topic]:
                del self._listeners[topic]

    def notify_listeners(self, topic: str, data: dict[str, Any]) -> None:
        """Those of this process alone."""
        for listener in list(self._listeners.get(topic, ())):
            listener(data)

    def has_listeners(self, topic: str) -> bool:
        return topic in self._listeners

    # --- The two directions ---------------------------------------------------------------------------------------

    async def _run(self) -> None:
        self._address = await self._layer.new_channel()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.outbox.run())
            tasks.create_task(self._receive())
            tasks.create_task(self._stay_joined())
            tasks.create_task(self._watch())
            tasks.create_task(self._share_waitlist())

    async def _receive(self) -> None:
        while True:
            try:
                await self._join()
                while True:
                    self._on_message(await self._layer.receive(self._address))
            except Exception as error:
                self._outage.record(error)
                await asyncio.sleep(0.5)

    async def _stay_joined(self) -> None:
        while True:
            await asyncio.sleep(REJOIN_INTERVAL)
            try:
                await self._join()
            except Exception as error:
                self._outage.record(error)

    async def _join(self) -> None:
        await self._layer.group_add(WEB_GROUP, self._address)
        self._up.set()
        self._outage.recovered()

    def _on_message(self, message: dict[str, Any]) -> None:
        match message["type"]:
            case "bundle":
                for stream, seq, item in decode_down(message["data"]):
                    self._on_item(stream, seq, item)
            case "status":
                self._on_status(msgspec.msgpack.decode(message["data"], type=Status))
            case "waiting":
                self.waitlist.update(message["link"], message["since"])
            case "notice":
                self.notify_listeners(message["topic"], message["data"])

    def _on_item(self, stream: str, seq: int, item: Down) -> None:
        connection = self._connections.get(stream)
        if isinstance(item, Ready) and not (connection and connection.worker in ("", item.worker)):
            # Whoever asked has gone, or another one was first: the layer may give a request to two who read its queue.
            self.outbox.put(item.worker, (stream, 0, Close()))
        elif connection:
            connection.receive(seq, item)

    def _on_status(self, status: Status) -> None:
        if status.stopping:
            self._on_worker_lost(status.worker, "the inference process is shutting down")
        else:
            self._workers[status.worker] = time.monotonic(), status
            if status.voices:
                self._voices[status.engine] = status.voices
            if status.recent_errors is not None:
                self._recent_errors[status.process] = status.recent_errors
            self._status_received.set()  # wakes who waits now
            self._status_received.clear()
        self._update_capacity(status.engine)

    def _update_capacity(self, engine: str) -> None:
        if any(status.free for _, status in self._workers.values() if status.engine == engine):
            self._free_since.setdefault(engine, time.monotonic())
            self._full_since.pop(engine, None)
        else:
            self._full_since.setdefault(engine, time.monotonic())
            self._free_since.pop(engine, None)

    async def _watch(self) -> None:
        looked = time.monotonic()
        while True:
            await asyncio.sleep(WATCH_INTERVAL)
            now = time.monotonic()
            if now - looked > 2 * WATCH_INTERVAL:  # this process is late itself, and the heartbeats wait to be read
                self._reset_heartbeats(now)
            looked = now
            for worker, (heard, status) in list(self._workers.items()):
                if now - heard > HEARTBEAT_TIMEOUT:
                    name, silent_for = status.process, now - heard
                    logger.warning(
                        "inference process %s is silent for %.1f s: its streams go elsewhere", name, silent_for
                    )
                    self._on_worker_lost(worker, "the inference process does not answer")

    def _reset_heartbeats(self, now: float) -> None:
        self._workers = {worker: (now, status) for worker, (_, status) in self._workers.items()}

    def _on_worker_lost(self, worker: str, reason: str) -> None:
        _, status = self._workers.pop(worker, (0.0, None))
        if status:
            self._update_capacity(status.engine)
        for connection in list(self._connections.values()):
            if connection.worker == worker:
                connection.on_worker_lost(reason)

    async def _share_waitlist(self) -> None:
        """The links tell each other who waits since when, so that each knows its streams' places in the queue."""
        while True:
            await self.waitlist.share_due()
            message = {"type": "waiting", "link": self._address, "since": self.waitlist.local_entries()}
            try:
                await self._layer.group_send(WEB_GROUP, message)
            except Exception as error:
                self._outage.record(error)


def _seconds_since(moment: float | None) -> float:
    return time.monotonic() - moment if moment else 0.0
