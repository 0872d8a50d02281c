"""Slots of an engine, grouped in replicas that step together."""

import asyncio

from inference.executors.base import Executor
from inference.stream import Stream


class Slot:
    """One slot of an engine: the stream that owns it, and the stream that the engine has opened in it.

    The two differ from a stream's start or end until the engine's next step.
    """

    def __init__(self, replica: "Replica", index: int) -> None:
        self.replica = replica
        self.index = index
        self.stream: Stream | None = None
        self.opened: Stream | None = None
        self.is_retired = False  # by the engine, with `Closed`

    @property
    def is_free(self) -> bool:
        return self.replica.up and self.stream is None and self.opened is None and not self.is_retired

    @property
    def account(self) -> str:
        """Of its stream; "" if it has none."""
        return self.stream.request.account if self.stream else ""

    @property
    def priority(self) -> tuple[bool, bool]:
        """Of the streams of an account, those with the lowest give up their slot first: programs, and last the speech
        that a listener waits for."""
        request = self.stream.request if self.stream else None
        return bool(request and request.low_latency), bool(request and not request.is_program)

    @property
    def is_draining(self) -> bool:
        """The engine is flushing here with silence of its own."""
        return self.index in self.replica.executor.draining

    @property
    def serving(self) -> Stream | None:
        return self.stream if self.stream is self.opened else None

    @property
    def has_work(self) -> bool:
        if self.stream is not self.opened:
            return True
        stream = self.stream
        if stream is None:
            return False
        return self.is_draining or stream.has_input or stream.must_flush or stream.marker_is_due


class Replica:
    """An executor and its slots, which step together."""

    def __init__(self, executor: Executor) -> None:
        self.executor = executor
        self.slots: list[Slot] = []
        self.up = False
        self._ready: set[Slot] = set()
        self._wake = asyncio.Event()

    async def start(self) -> None:
        """Start the engine; some know only then how many slots they have."""
        await self.executor.start()
        self.slots = [Slot(self, index) for index in range(self.executor.slots)]
        self.up = True

    @property
    def streams(self) -> int:
        return sum(slot.stream is not None for slot in self.slots)

    def mark_ready(self, slot: Slot) -> None:
        self._ready.add(slot)
        self._wake.set()

    async def ready_slots(self) -> set[Slot]:
        """Wait for slots that may have work, and return them."""
        await self._wake.wait()
        self._wake.clear()
        ready, self._ready = self._ready, set()
        return ready
