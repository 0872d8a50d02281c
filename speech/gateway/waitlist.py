"""Who waits for a slot, here and in the other web processes. The queue itself is the channel layer's."""

import asyncio
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

SHARE_INTERVAL = 1.0  # seconds
EXPIRY = 5.0
"""Seconds after which what a web process last said counts no more: it may have died."""

Entry = tuple[str, float]
"""An engine, and since when (unix time) a stream waits for one of its slots."""


class Waitlist:
    def __init__(self) -> None:
        self._local: list[Entry] = []
        self._links: dict[str, tuple[float, list[Entry]]] = {}  # when it was heard (monotonic), and what
        self._changed = asyncio.Event()

    @contextmanager
    def join(self, engine: str) -> Iterator[Entry]:
        """A place in the queue while the context lasts."""
        seat = engine, time.time()
        self._local.append(seat)
        self._changed.set()
        try:
            yield seat
        finally:
            self._local.remove(seat)

    def position(self, seat: Entry) -> int:
        """1 is next."""
        return 1 + sum(engine == seat[0] and since < seat[1] for engine, since in self._entries())

    def count(self, engine: str) -> int:
        """How many wait for it, wherever they are."""
        return sum(each == engine for each, _ in self._entries())

    def _entries(self) -> set[Entry]:
        now = time.monotonic()
        fresh = [seats for heard, seats in self._links.values() if now - heard < EXPIRY]
        return {*self._local, *(other for seats in fresh for other in seats)}

    def local_entries(self) -> list[Entry]:
        return list(self._local)

    def update(self, link: str, seats: Iterable[Entry]) -> None:
        """What a link, maybe this one, says of those who wait with it."""
        self._links[link] = time.monotonic(), [(engine, since) for engine, since in seats]

    async def share_due(self) -> None:
        """Returns when the others should hear who waits here: every second while someone does, and once after."""
        await self._changed.wait()
        if not self._local:
            self._changed.clear()
        await asyncio.sleep(SHARE_INTERVAL)
