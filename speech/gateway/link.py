"""Link between this web process and the inference processes, shared by all its streams.

A request for a slot goes into the queue of an engine, which every inference process with a free slot reads. Everything
else goes in bundles (`inference/outbox.py`). Heartbeats show which inference processes are alive.
"""

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, ClassVar

import msgspec
from channels.exceptions import ChannelFull
from channels.layers import get_channel_layer
from msgspec.structs import replace

from inference.messages import WEB_GROUP, Close, Down, Open, Ready, Status, queue_name
from inference.observability.recent_errors import NETWORK_ERROR, Outage
from inference.observability.tracing import current_traceparent
from inference.outbox import Outbox, decode_down
from speech.errors import AtCapacity, NoEngine
from speech.gateway.connection import Connection
from speech.gateway.waitlist import Waitlist
from speech.gateway.workers import WorkerRegistry

logger = logging.getLogger(__name__)

WATCH_INTERVAL = 0.1
SEND_TIMEOUT = 2.0
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
        self._layer = get_channel_layer()
        self._address = ""
        self._connections: dict[str, Connection] = {}
        self._listeners: defaultdict[str, set[Callable[[dict[str, Any]], None]]] = defaultdict(set)
        self._up = asyncio.Event()
        self.outbox = Outbox(self._layer)
        self.workers = WorkerRegistry()
        self.waitlist = Waitlist()
        self._outage = Outage(logger, "channel layer")
        self._task = asyncio.create_task(self._run())

    # --- For streams ----------------------------------------------------------------------------------------------

    def state(self) -> str:
        """Summary for the log; an idle process has no streams and all slots free."""
        statuses = self.workers.statuses()
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
            self.workers.update(status)

    async def _watch(self) -> None:
        checked_at = time.monotonic()
        while True:
            await asyncio.sleep(WATCH_INTERVAL)
            if time.monotonic() - checked_at > 2 * WATCH_INTERVAL:
                self.workers.reset_heartbeats()
            checked_at = time.monotonic()
            try:
                self._drop_silent_workers()
            except Exception:
                logger.exception("unexpected error in the watch")  # raised, it would end the link and all streams

    def _drop_silent_workers(self) -> None:
        for status, silence in self.workers.silent():
            logger.warning(
                "no heartbeat from inference process %s for %.1f s; moving its streams",
                status.process,
                silence,
                extra=NETWORK_ERROR,
            )
            self._on_worker_lost(status.worker, "the inference process isn't responding")

    def _on_worker_lost(self, worker: str, reason: str) -> None:
        self.workers.remove(worker)
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
