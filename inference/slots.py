"""Slots of an engine, grouped in replicas that step together."""

import asyncio
import time
from collections import deque
from collections.abc import Callable

from inference.engine import EngineLost
from inference.executors.base import Executor
from inference.streams.base import Stream


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


IDLE_BEFORE = 30.0
"""Seconds without a stream before the capacity is measured again."""
INTERVAL = 300.0
"""Seconds between two measurements..."""
TIME_SHARE = 0.01
"""...or more, so that they take at most this share of the time."""
RUNS = 3
"""Recognitions in a measurement, the fastest of which counts."""
KEPT = 3
"""Measurements kept."""


class Capacity:
    """The measured number of slots, and when it is measured again.

    Other work on the machine makes an engine look slower than it is, most of all while everything starts, and nothing
    makes it look faster. So the best of the last measurements counts: a better one counts at once, a worse one only if
    those after it are no better.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self.measured_at = 0.0
        """Unix time; 0: never."""
        self._now = now
        self._last: deque[int] = deque(maxlen=KEPT)
        self._due_at = self._idle_since = now()

    @property
    def slots(self) -> int:
        return max(self._last)

    def add(self, slots: int, seconds: float = 0.0) -> None:
        """Add a measurement that took so long."""
        self._last.append(slots)
        self.measured_at = time.time()
        self._due_at = self._now() + max(INTERVAL, seconds / TIME_SHARE) if seconds else self._now()

    def is_due(self, is_idle: bool) -> bool:
        """Called regularly."""
        if not is_idle:
            self._idle_since = self._now()
        return self._now() - self._idle_since >= IDLE_BEFORE and self._now() >= self._due_at


class Replica:
    """An executor and its slots, which step together."""

    def __init__(self, executor: Executor) -> None:
        self.executor = executor
        self.slots: list[Slot] = []
        self.up = False
        self.capacity = Capacity()
        self._must_measure = False
        self._ready: set[Slot] = set()
        self._wake = asyncio.Event()

    async def start(self) -> None:
        """Start the engine; some know only then how many slots they have."""
        await self.executor.start()
        slots = self.executor.slots
        if self.executor.measures_capacity:
            self.capacity.add(slots)
            slots = self.capacity.slots
        self.slots = [Slot(self, index) for index in range(slots)]
        self.up = True

    def request_measurement_if_due(self) -> None:
        """Called regularly."""
        if self.executor.measures_capacity and self.up and self.capacity.is_due(self._is_idle):
            self._must_measure = True
            self._wake.set()

    async def measure_if_requested(self) -> bool:
        """Measure the capacity between two steps. A stream that begins meanwhile waits for one recognition at most.
        Returns whether there are more or fewer slots now."""
        if not self._must_measure:
            return False
        try:
            await self._measure()
        finally:
            self._must_measure = False
        before = len(self.slots)
        self.slots += [Slot(self, index) for index in range(before, self.capacity.slots)]
        while len(self.slots) > self.capacity.slots and self.slots[-1].is_free:
            self.slots.pop()
        return len(self.slots) != before

    async def _measure(self) -> None:
        started, best = time.monotonic(), 0
        for _ in range(RUNS):
            if not self._is_idle:
                return
            best = max(best, await self.executor.measure_capacity())
        self.capacity.add(best, time.monotonic() - started)

    @property
    def _is_idle(self) -> bool:
        return all(slot.is_free for slot in self.slots)

    @property
    def streams(self) -> int:
        return sum(slot.stream is not None for slot in self.slots)

    def mark_ready(self, slot: Slot) -> None:
        self._ready.add(slot)
        self._wake.set()

    async def ready_slots(self) -> set[Slot]:
        """Wait for slots that may have work, and return them. Raises `EngineLost` if the engine has closed all slots,
        for lack of memory: a restart gives it as many as fit then."""
        await self._wake.wait()
        if self.slots and all(slot.is_retired for slot in self.slots):
            raise EngineLost("it has closed all its slots, for lack of memory")
        self._wake.clear()
        ready, self._ready = self._ready, set()
        return ready
