"""Recordings take what speakers leave: half of the slots at most, since a slot takes time from the others too; and not
the last, which is kept free for who speaks next. As soon as it is taken they give one up.
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
"""Seconds. Until then every process has told that a slot is taken, and who looks next sees it."""
PREEMPT_INTERVAL = 2.0
"""Seconds. Until then a slot that was given up is told to be free."""


class Preemptible(Protocol):
    """Who has a slot until somebody speaks."""

    @property
    def engine(self) -> str:
        """Of the slot; "" while there is none."""

    def preempt(self) -> None: ...


class Preemption:
    _current: "Preemption | None" = None

    @classmethod
    def current(cls) -> "Preemption":
        """Of this process."""
        link = Link.current()
        if cls._current is None or cls._current._link is not link:
            cls._current = cls(link)
        return cls._current

    def __init__(self, link: Link) -> None:
        self._link = link
        self._waiting: defaultdict[str, deque[object]] = defaultdict(deque)  # by engine
        self._granted: deque[float] = deque()  # when; the slots that may not show yet
        self._starting: deque[float] = deque()  # when; the guests that did not come yet
        self._preemptible: list[Preemptible] = []
        self._watching: asyncio.Task[None] | None = None

    async def wait(self, engine: str, unless: Callable[[], bool] = lambda: False) -> bool:
        """True when a guest may ask for a slot, one after another; or False, when `unless` is true. `engine`: "" for
        any."""
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
    def preemptible(self, guest: Preemptible) -> Iterator[None]:
        """Meanwhile `guest` is asked to give way when its slot is wanted, the newest first."""
        if self._starting:
            self._starting.popleft()
        self._preemptible.append(guest)
        if self._watching is None:
            self._watching = asyncio.create_task(self._watch())
        try:
            yield
        finally:
            self._preemptible.remove(guest)
            if not self._preemptible:
                self._watching.cancel()
                self._watching = None

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(PREEMPT_INTERVAL)
            for guest in reversed(self._preemptible):
                if guest.engine and await self._is_wanted(guest.engine):
                    guest.preempt()
                    break

    async def _is_wanted(self, engine: str) -> bool:
        statuses = await self._statuses(engine)
        is_full = any(status.slots > 1 and not status.free for status in statuses)
        return is_full or any(self._has_waiting(status.engine) for status in statuses)

    async def _is_spare(self, engine: str) -> bool:
        for when in self._granted, self._starting:
            while when and time.monotonic() - when[0] > STATUS_DELAY:
                when.popleft()
        return any(self._has_room(status) for status in await self._statuses(engine))

    def _has_room(self, status: Status) -> bool:
        is_free = status.free > (status.slots > 1) + len(self._granted)
        is_moderate = len(self._preemptible) + len(self._starting) < max(1, status.slots // 2)
        return is_free and is_moderate and not self._has_waiting(status.engine)

    async def _statuses(self, engine: str) -> list[Status]:
        return [status for name, status in (await self._link.engines()).items() if name == engine or not engine]

    def _has_waiting(self, engine: str) -> bool:
        return self._link.waitlist.position((engine, time.time())) > 1
