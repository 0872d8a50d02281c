"""Markers of a client, which are sent back once the words of all audio before them were sent.

In the middle of audio a marker changes nothing: moshi-server sends it back after its model's delay. It waits for audio
that may never come, however; here the stream is flushed instead.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from speech.errors import TooFast

MAX_MARKERS = 10_000
PAUSE = 1.0
"""Seconds without audio after which none is expected to follow: a stream that stalls in the network, in the middle of a
word, must not be flushed."""
POLL_INTERVAL = 0.25


class Marker(NamedTuple):
    position: int
    """The sample before which it lies."""
    id: int


class Markers:
    def __init__(self, flush: Callable[[], None], seconds_without_audio: Callable[[], float]) -> None:
        """`flush` requests a flush of the stream. `seconds_without_audio`: since the client's last message that was
        audio; 0 if more of them wait to be handled."""
        self._flush = flush
        self._seconds_without_audio = seconds_without_audio
        self._pending: deque[Marker] = deque()
        self._flushed_position: int | None = None  # of a flush that is pending

    def add(self, marker: Marker) -> None:
        """Raises `TooFast`."""
        if len(self._pending) >= MAX_MARKERS:
            raise TooFast("Too many markers are pending.", f"The limit is {MAX_MARKERS}.")
        self._pending.append(marker)

    def take_before(self, sample: int) -> list[int]:
        """Remove the markers before the sample, and return their ids."""
        ids = []
        while self._pending and self._pending[0].position <= sample:
            ids.append(self._pending.popleft().id)
        return ids

    def take_flushed(self) -> list[int]:
        """The stream was flushed: remove the markers that this was for, and return their ids."""
        position, self._flushed_position = self._flushed_position, None
        return [] if position is None else self.take_before(position)

    async def flush_at_pauses(self) -> None:
        while True:
            await asyncio.sleep(POLL_INTERVAL)
            if self._pending and self._flushed_position is None and self._seconds_without_audio() >= PAUSE:
                self._flushed_position = self._pending[-1].position
                self._flush()
