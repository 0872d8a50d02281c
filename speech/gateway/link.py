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
    Fault,
    Kind,
    Open,
    Ready,
    Status,
    StepTimes,
    Voice,
    queue_of,
)
from inference.observability.recent_errors import Outage
from inference.observability.tracing import here
from inference.outbox import Outbox, decode_down
from speech.errors import AtCapacity, NoEngine
from speech.gateway.connection import Connection
from speech.gateway.waitlist import WaitingRoom

logger = logging.getLogger(__name__)

SILENT_AFTER = 0.9
"""Seconds without a heartbeat after which an inference process is taken for dead; four are due in it."""
WATCH_EVERY = 0.1
SEND_WITHIN = 2.0
INFORMED_WITHIN = 1.0
"""Seconds in which a new link has heard of every inference process that is not taken for dead."""
VOICES_WITHIN = 5.0
"""Seconds in which an engine that speaks is up and has told its voices."""
REJOIN_EVERY = 0.5
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
        self._faults: dict[str, list[Fault]] = {}  # by inference process
        self._free_since: dict[str, float] = {}  # per engine, monotonic: slots that nobody takes
        self._full_since: dict[str, float] = {}
        self._heard_status = asyncio.Event()
        self._up = asyncio.Event()
        self.outbox = Outbox(self._layer)
        self.waiting = WaitingRoom()
        self._outage = Outage(logger, "the channel layer")
        self._task = asyncio.create_task(self._run())

    # --- What streams ask of it -----------------------------------------------------------------------------------

    async def engines(self, kind: Kind = "stt") -> dict[str, Status]:
        """The engines of a kind that are there, by name, with the slots of all their inference processes."""
        with suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, self._began + INFORMED_WITHIN - time.monotonic())):
                while not self._engines(kind):
                    await self._heard_status.wait()
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
                steps=status.steps + (known.steps if known else StepTimes()),
                voices=self._voices.get(status.engine),
            )
        return engines

    async def speakers(self) -> dict[str, Status]:
        """The engines that speak, by name, each with its voices; those that are starting are waited for."""
        with suppress(TimeoutError):
            async with asyncio.timeout(VOICES_WITHIN):
                while not all(status.voices for status in (await self.engines("tts")).values()):
                    await self._heard_status.wait()
        return {name: status for name, status in self._engines("tts").items() if status.voices}

    def workers(self) -> list[Status]:
        """The inference processes that are there, once for each engine."""
        return [status for _, status in self._workers.values()]

    def faults(self) -> dict[str, list[Fault]]:
        """What went wrong lately in inference processes, also in those that are gone."""
        return self._faults

    def processes(self, engine: str) -> int:
        """How many inference processes run it."""
        return sum(status.engine == engine for _, status in self._workers.values())

    def has_had_free_slots_for(self, engine: str) -> float:
        """Seconds. Where requests wait, a free slot is taken at once; if it is not, they were lost on the way."""
        return _seconds_since(self._free_since.get(engine))

    def has_been_full_for(self, engine: str) -> float:
        """Seconds."""
        return _seconds_since(self._full_since.get(engine))

    def starting(self, engine: str) -> str | None:
        """What an engine is doing that is not up yet; None if it is."""
        notes = [status.note for _, status in self._workers.values() if status.engine == engine and not status.slots]
        return notes[0] if notes and engine not in self._free_since else None

    def state(self) -> str:
        """For the log: what a healthy process comes back to when nobody speaks."""
        statuses = [status for _, status in self._workers.values()]
        free, slots = sum(status.free for status in statuses), sum(status.slots for status in statuses)
        waiting = len(self.waiting.here())
        return f"{len(self._connections)} streams, {waiting} waiting, {free} of {slots} slots free"

    async def ask(
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
        connection = Connection(self.outbox, self.drop, receive)
        self._connections[connection.id] = connection  # before it asks: the answer may come at once
        with ExitStack() as unless_asked:
            unless_asked.callback(self.drop, connection)
            try:
                async with asyncio.timeout(SEND_WITHIN):
                    await self._up.wait()
                    request = Open(connection.id, self._address, deadline, position, language, trace=here(), **wishes)
                    await self._layer.send(queue_of(engine), {"type": "open", "data": msgspec.msgpack.encode(request)})
            except ChannelFull:
                raise AtCapacity(why="Very many are waiting already.") from None
            except Exception as error:
                self._outage.note(error)
                raise NoEngine(why="What connects this site with its engines does not answer.") from error
            unless_asked.pop_all()
        return connection

    def drop(self, connection: Connection) -> None:
        self._connections.pop(connection.id, None)

    @contextmanager
    def listening(self, topic: str, listener: Callable[[dict[str, Any]], None]) -> Iterator[None]:
        """Have `listener` called with what `notices.notify` tells the web processes about a topic."""
        self._listeners[topic].add(listener)
        try:
            yield
        finally:
            self._listeners[topic].discard(listener)
            if not self._listeners[topic]:
                del self._listeners[topic]

    def tell_listeners(self, topic: str, data: dict[str, Any]) -> None:
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
            tasks.create_task(self._tell_waiting())

    async def _receive(self) -> None:
        while True:
            try:
                await self._join()
                while True:
                    self._take(await self._layer.receive(self._address))
            except Exception as error:
                self._outage.note(error)
                await asyncio.sleep(0.5)

    async def _stay_joined(self) -> None:
        while True:
            await asyncio.sleep(REJOIN_EVERY)
            try:
                await self._join()
            except Exception as error:
                self._outage.note(error)

    async def _join(self) -> None:
        await self._layer.group_add(WEB_GROUP, self._address)
        self._up.set()
        self._outage.is_over()

    def _take(self, message: dict[str, Any]) -> None:
        match message["type"]:
            case "bundle":
                for stream, seq, item in decode_down(message["data"]):
                    self._take_item(stream, seq, item)
            case "status":
                self._take_status(msgspec.msgpack.decode(message["data"], type=Status))
            case "waiting":
                self.waiting.hear(message["link"], message["since"])
            case "notice":
                self.tell_listeners(message["topic"], message["data"])

    def _take_item(self, stream: str, seq: int, item: Down) -> None:
        connection = self._connections.get(stream)
        if isinstance(item, Ready) and not (connection and connection.worker in ("", item.worker)):
            # Whoever asked has gone, or another one was first: the layer may give a request to two who read its queue.
            self.outbox.put(item.worker, (stream, 0, Close()))
        elif connection:
            connection.receive(seq, item)

    def _take_status(self, status: Status) -> None:
        if status.leaving:
            self._lose(status.worker, "the inference process is shutting down")
        else:
            self._workers[status.worker] = time.monotonic(), status
            if status.voices:
                self._voices[status.engine] = status.voices
            if status.faults is not None:
                self._faults[status.process] = status.faults
            self._heard_status.set()  # wakes who waits now
            self._heard_status.clear()
        self._note_free(status.engine)

    def _note_free(self, engine: str) -> None:
        if any(status.free for _, status in self._workers.values() if status.engine == engine):
            self._free_since.setdefault(engine, time.monotonic())
            self._full_since.pop(engine, None)
        else:
            self._full_since.setdefault(engine, time.monotonic())
            self._free_since.pop(engine, None)

    async def _watch(self) -> None:
        looked = time.monotonic()
        while True:
            await asyncio.sleep(WATCH_EVERY)
            now = time.monotonic()
            if now - looked > 2 * WATCH_EVERY:  # this process is late itself, and the heartbeats wait to be read
                self._forgive(now)
            looked = now
            for worker, (heard, status) in list(self._workers.items()):
                if now - heard > SILENT_AFTER:
                    name, silent_for = status.process, now - heard
                    logger.warning(
                        "inference process %s is silent for %.1f s: its streams go elsewhere", name, silent_for
                    )
                    self._lose(worker, "the inference process does not answer")

    def _forgive(self, now: float) -> None:
        self._workers = {worker: (now, status) for worker, (_, status) in self._workers.items()}

    def _lose(self, worker: str, reason: str) -> None:
        _, status = self._workers.pop(worker, (0.0, None))
        if status:
            self._note_free(status.engine)
        for connection in list(self._connections.values()):
            if connection.worker == worker:
                connection.lose(reason)

    async def _tell_waiting(self) -> None:
        """The links tell each other who waits since when, so that each knows its streams' places in the queue."""
        while True:
            await self.waiting.due()
            message = {"type": "waiting", "link": self._address, "since": self.waiting.here()}
            try:
                await self._layer.group_send(WEB_GROUP, message)
            except Exception as error:
                self._outage.note(error)


def _seconds_since(moment: float | None) -> float:
    return time.monotonic() - moment if moment else 0.0
