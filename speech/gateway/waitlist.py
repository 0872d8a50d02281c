"""Streams that wait for a slot, in this process and in the other web processes. The queue itself is the channel
layer's."""

import asyncio
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

SHARE_INTERVAL = 1.0  # seconds
EXPIRY = 5.0
"""Seconds after which the last report of a web process is ignored: the process may have died."""

Entry = tuple[str, float]
"""An engine, and since when (unix time) a stream waits for one of its slots."""


class Waitlist:
    def __init__(self) -> None:
        self._local: list[Entry] = []
        self._links: dict[str, tuple[float, list[Entry]]] = {}  # when it was received (monotonic), and the entries
        self._changed = asyncio.Event()

    @contextmanager
    def join(self, engine: str) -> Iterator[Entry]:
        """An entry in the waitlist for as long as the context lasts."""
        entry = engine, time.time()
        self._local.append(entry)
        self._changed.set()
        try:
            yield entry
        finally:
            self._local.remove(entry)

    def position(self, entry: Entry) -> int:
        """1 is next."""
        return 1 + sum(engine == entry[0] and since < entry[1] for engine, since in self._entries())

    def count(self, engine: str) -> int:
        """Number of streams that wait for an engine, in all processes."""
        return sum(each == engine for each, _ in self._entries())

    def _entries(self) -> set[Entry]:
        now = time.monotonic()
        fresh = [entries for received_at, entries in self._links.values() if now - received_at < EXPIRY]
        return {*self._local, *(entry for entries in fresh for entry in entries)}

    def local_entries(self) -> list[Entry]:
        return list(self._local)

    def update(self, link: str, entries: Iterable[Entry]) -> None:
        """Store what a link, possibly this one, reports about its waiting streams."""
        self._links[link] = time.monotonic(), [(engine, since) for engine, since in entries]

    async def share_due(self) -> None:
        """Return when the other processes should get this one's entries: every second while there are any, and once
        after."""
        await self._changed.wait()
        if not self._local:
            self._changed.clear()
        await asyncio.sleep(SHARE_INTERVAL)
