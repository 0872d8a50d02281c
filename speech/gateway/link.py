"""Link between this web process and the inference processes, shared by all its streams.

A request for a slot goes into the queue of an engine, which every inference process with a free slot reads. Everything
else goes in bundles (`inference/outbox.py`). Heartbeats show which inference processes are alive.
"""

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any, ClassVar, get_args

import msgspec
from channels.exceptions import ChannelFull
from channels.layers import get_channel_layer
from msgspec.structs import replace

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
from inference.observability.recent_errors import NETWORK_ERROR, Outage
from inference.observability.tracing import current_traceparent
from inference.outbox import Outbox, decode_down
from speech.errors import AtCapacity, NoEngine
from speech.gateway.connection import Connection
from speech.gateway.waitlist import Waitlist

logger = logging.getLogger(__name__)

HEARTBEAT_TIMEOUT = 0.9
"""Seconds without a heartbeat after which an inference process counts as dead; four are due in it."""
WATCH_INTERVAL = 0.1
SEND_TIMEOUT = 2.0
DISCOVERY_TIMEOUT = 1.0
"""Seconds in which a new link receives a heartbeat of every live inference process."""
VOICES_TIMEOUT = 5.0
"""Seconds in which a text-to-speech engine starts and reports its voices."""
REJOIN_INTERVAL = 0.5
"""Seconds. A group membership expires after a day, and a restarted Redis may have lost all of them."""


class Link:
    _current: ClassVar["Link | None"] = None

    @classmethod
    def current(cls) -> "Link":
        """The link of this process, created on first use in the running event loop."""
        if cls._current is None or cls._current._loop is not asyncio.get_running_loop():
            cls._current = cls()
        return cls._current

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._began = time.monotonic()
        self._layer = get_channel_layer()
        self._address = ""
        self._connections: dict[str, Connection] = {}
        self._workers: dict[str, tuple[float, Status]] = {}  # last heartbeat: when it came (monotonic), and the status
        self._listeners: defaultdict[str, set[Callable[[dict[str, Any]], None]]] = defaultdict(set)
        self._voices: dict[str, list[Voice]] = {}  # by engine
        self._recent_errors: dict[str, list[LoggedError]] = {}  # by inference process
        self._free_since: dict[str, float] = {}  # per engine, monotonic
        self._full_since: dict[str, float] = {}
        self._status_received = asyncio.Event()
        self._up = asyncio.Event()
        self.outbox = Outbox(self._layer)
        self.waitlist = Waitlist()
        self._outage = Outage(logger, "channel layer")
        self._task = asyncio.create_task(self._run())

    # --- For streams ----------------------------------------------------------------------------------------------

    async def engines(self, kind: Kind = "stt") -> dict[str, Status]:
        """Running engines of a kind, by name, with the slots of all their inference processes."""
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
            engines[status.engine] = replace(
                status,
                slots=status.slots + (known.slots if known else 0),
                free=status.free + (known.free if known else 0),
                step_latencies=status.step_latencies + (known.step_latencies if known else StepLatencies()),
                voices=self._voices.get(status.engine),
            )
        return engines

    async def all_engines(self) -> list[Status]:
        """Running engines of every kind, by kind and name."""
        return [status for kind in get_args(Kind) for _, status in sorted((await self.engines(kind)).items())]

    async def tts_engines(self) -> dict[str, Status]:
        """Text-to-speech engines by name, each with its voices; waits for those that are starting."""
        with suppress(TimeoutError):
            async with asyncio.timeout(VOICES_TIMEOUT):
                while not all(status.voices for status in (await self.engines("tts")).values()):
                    await self._status_received.wait()
        return {name: status for name, status in self._engines("tts").items() if status.voices}

    def workers(self) -> list[Status]:
        """Status of each inference process, once for each of its engines."""
        return [status for _, status in self._workers.values()]

    def recent_errors(self) -> dict[str, list[LoggedError]]:
        """Recent errors by inference process, including processes that have ended."""
        return self._recent_errors

    def process_count(self, engine: str) -> int:
        """Number of inference processes that run it."""
        return sum(status.engine == engine for _, status in self._workers.values())

    def seconds_with_free_slots(self, engine: str) -> float:
        """Seconds. A free slot is taken at once if requests wait; if it is not, they were lost."""
        return _seconds_since(self._free_since.get(engine))

    def seconds_full(self, engine: str) -> float:
        return _seconds_since(self._full_since.get(engine))

    def startup_progress(self, engine: str) -> str | None:
        """What an engine that is starting does; None if it is up."""
        starting = [status for _, status in self._workers.values() if status.engine == engine and not status.slots]
        return starting[0].progress if starting and engine not in self._free_since else None

    def state(self) -> str:
        """Summary for the log; an idle process has no streams and all slots free."""
        statuses = [status for _, status in self._workers.values()]
        free, slots = sum(status.free for status in statuses), sum(status.slots for status in statuses)
        waiting = len(self.waitlist.local_entries())
        return f"{len(self._connections)} streams, {waiting} waiting, {free} of {slots} slots free"

    async def request_slot(self, engine: str, request: Open, receive: Callable[[Down], None]) -> Connection:
        """Put a request into the engine's queue; `receive` gets `Ready` when a slot is granted. This link fills in who
        requests it.

        Raises `AtCapacity` if the queue is full, and `NoEngine` if the channel layer is unavailable.
        """
        connection = Connection(self.outbox, self.forget, receive)
        self._connections[connection.id] = connection  # before the request: the answer may come at once
        with ExitStack() as unless_sent:
            unless_sent.callback(self.forget, connection)
            try:
                async with asyncio.timeout(SEND_TIMEOUT):
                    await self._up.wait()
                    trace = current_traceparent()
                    request = replace(request, stream=connection.id, reply_to=self._address, trace=trace)
                    message = {"type": "open", "data": msgspec.msgpack.encode(request)}
                    await self._layer.send(queue_name(engine), message)
            except ChannelFull:
                raise AtCapacity(why="The queue is full.") from None
            except Exception as error:
                self._outage.record(error)
                raise NoEngine(why="The channel layer (Redis) isn't responding.") from error
            unless_sent.pop_all()
        return connection

    def forget(self, connection: Connection) -> None:
        self._connections.pop(connection.id, None)

    @contextmanager
    def subscribed(self, topic: str, listener: Callable[[dict[str, Any]], None]) -> Iterator[None]:
        """Call `listener` with the data of each `broadcast` on a topic."""
        self._listeners[topic].add(listener)
        try:
            yield
        finally:
            self._listeners[topic].discard(listener)
            if not self._listeners[topic]:
                del self._listeners[topic]

    def notify_listeners(self, topic: str, data: dict[str, Any]) -> None:
        """Notify the listeners of this process only."""
        for listener in list(self._listeners.get(topic, ())):
            listener(data)

    def has_listeners(self, topic: str) -> bool:
        return topic in self._listeners

    # --- Messages -------------------------------------------------------------------------------------------------

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
            # The stream is gone, or has a slot already: the layer may deliver a request to two inference processes.
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
            self._status_received.set()  # wakes the tasks that wait now
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
        checked_at = time.monotonic()
        while True:
            await asyncio.sleep(WATCH_INTERVAL)
            now = time.monotonic()
            if now - checked_at > 2 * WATCH_INTERVAL:  # this process was blocked, and heartbeats wait to be read
                self._reset_heartbeats(now)
            checked_at = now
            for worker, (received_at, status) in list(self._workers.items()):
                if now - received_at > HEARTBEAT_TIMEOUT:
                    logger.warning(
                        "no heartbeat from inference process %s for %.1f s; moving its streams",
                        status.process,
                        now - received_at,
                        extra=NETWORK_ERROR,
                    )
                    self._on_worker_lost(worker, "the inference process isn't responding")

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
        """Exchange the waiting streams among all links, so that each knows its streams' positions in the queue."""
        while True:
            await self.waitlist.share_due()
            message = {"type": "waiting", "link": self._address, "since": self.waitlist.local_entries()}
            try:
                await self._layer.group_send(WEB_GROUP, message)
            except Exception as error:
                self._outage.record(error)


def _seconds_since(moment: float | None) -> float:
    return time.monotonic() - moment if moment else 0.0
