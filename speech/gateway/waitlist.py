"""Who waits for a slot, here and in the other web processes. The queue itself is the channel layer's."""

import asyncio
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

TOLD_EVERY = 1.0  # seconds
FORGOTTEN_AFTER = 5.0
"""Seconds after which what a web process last said counts no more: it may have died."""

Seat = tuple[str, float]
"""An engine, and since when (unix time) a stream waits for one of its slots."""


class WaitingRoom:
    def __init__(self) -> None:
        self._here: list[Seat] = []
        self._links: dict[str, tuple[float, list[Seat]]] = {}  # when it was heard (monotonic), and what
        self._changed = asyncio.Event()

    @contextmanager
    def seat(self, engine: str) -> Iterator[Seat]:
        """A place in the queue while the context lasts."""
        seat = engine, time.time()
        self._here.append(seat)
        self._changed.set()
        try:
            yield seat
        finally:
            self._here.remove(seat)

    def place(self, seat: Seat) -> int:
        """1 is next."""
        return 1 + sum(engine == seat[0] and since < seat[1] for engine, since in self._everyone())

    def count(self, engine: str) -> int:
        """How many wait for it, wherever they are."""
        return sum(each == engine for each, _ in self._everyone())

    def _everyone(self) -> set[Seat]:
        now = time.monotonic()
        fresh = [seats for heard, seats in self._links.values() if now - heard < FORGOTTEN_AFTER]
        return {*self._here, *(other for seats in fresh for other in seats)}

    def here(self) -> list[Seat]:
        return list(self._here)

    def hear(self, link: str, seats: Iterable[Seat]) -> None:
        """What a link, maybe this one, says of those who wait with it."""
        self._links[link] = time.monotonic(), [(engine, since) for engine, since in seats]

    async def due(self) -> None:
        """Returns when the others should hear who waits here: every second while someone does, and once after."""
        await self._changed.wait()
        if not self._here:
            self._changed.clear()
        await asyncio.sleep(TOLD_EVERY)
