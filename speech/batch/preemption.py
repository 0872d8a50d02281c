"""Slots for recordings: those that live streams leave.

Recordings take half of the slots at most, since every slot takes time from the others, and never the last free one,
which is kept for the next live stream. As soon as that is taken, they give one up.
"""

import asyncio
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from inference.messages import Status
from speech.gateway.link import Link

POLL_INTERVAL = 0.25
STATUS_DELAY = 1.0
"""Seconds until every process has reported that a slot is taken, so that the next request sees it."""
PREEMPT_INTERVAL = 2.0
"""Seconds until a slot that was given up is reported as free."""


class Preemptible(Protocol):
    """A stream that gives up its slot for a live stream."""

    @property
    def engine(self) -> str:
        """The engine of its slot; "" while it has none."""

    def preempt(self) -> None: ...


class Preemption:
    """Decides for this process when a preemptible stream can request a slot, and when one must give it up."""

    _current: "Preemption | None" = None

    @classmethod
    def current(cls) -> "Preemption":
        link = Link.current()
        if cls._current is None or cls._current._link is not link:
            cls._current = cls(link)
        return cls._current

    def __init__(self, link: Link) -> None:
        self._link = link
        self._waiting: defaultdict[str, deque[object]] = defaultdict(deque)  # by engine
        self._granted: deque[float] = deque()  # when slots were taken that may not be reported yet
        self._starting: deque[float] = deque()  # when streams were let through that have not started yet
        self._preemptible: list[Preemptible] = []
        self._watching: asyncio.Task[None] | None = None

    async def wait(self, engine: str, unless: Callable[[], bool] = lambda: False) -> bool:
        """Return True when a preemptible stream can request a slot, one after another; or False, when `unless` is true.
        `engine`: "" for any."""
        turn, waiting = object(), self._waiting[engine]
        waiting.append(turn)
        try:
            while not unless():
                if waiting[0] is turn and await self._is_spare(engine):
                    self._granted.append(now := time.monotonic())
                    self._starting.append(now)
                    return True
                await asyncio.sleep(POLL_INTERVAL)
            return False
        finally:
            waiting.remove(turn)
            if not waiting:
                del self._waiting[engine]

    @contextmanager
    def preemptible(self, stream: Preemptible) -> Iterator[None]:
        """While in this context, `stream` is preempted when its slot is needed, the newest first."""
        if self._starting:
            self._starting.popleft()
        self._preemptible.append(stream)
        if self._watching is None:
            self._watching = asyncio.create_task(self._watch())
        try:
            yield
        finally:
            self._preemptible.remove(stream)
            if not self._preemptible:
                self._watching.cancel()
                self._watching = None

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(PREEMPT_INTERVAL)
            for stream in reversed(self._preemptible):
                if stream.engine and await self._is_needed(stream.engine):
                    stream.preempt()
                    break

    async def _is_needed(self, engine: str) -> bool:
        statuses = await self._statuses(engine)
        is_full = any(status.slots > 1 and not status.free for status in statuses)
        return is_full or any(self._has_waiting(status.engine) for status in statuses)

    async def _is_spare(self, engine: str) -> bool:
        for times in self._granted, self._starting:
            while times and time.monotonic() - times[0] > STATUS_DELAY:
                times.popleft()
        return any(self._has_room(status) for status in await self._statuses(engine))

    def _has_room(self, status: Status) -> bool:
        is_free = status.free > (status.slots > 1) + len(self._granted)
        is_below_half = len(self._preemptible) + len(self._starting) < max(1, status.slots // 2)
        return is_free and is_below_half and not self._has_waiting(status.engine)

    async def _statuses(self, engine: str) -> list[Status]:
        return [status for name, status in (await self._link.workers.engines()).items() if name == engine or not engine]

    def _has_waiting(self, engine: str) -> bool:
        return self._link.waitlist.position((engine, time.time())) > 1
