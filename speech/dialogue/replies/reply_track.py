"""The replies' audio on the session's timeline, as the listener's client played it."""

from collections import deque
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from inference.messages import BYTES_PER_SAMPLE, SAMPLE_RATE

MAX_HELD = 120 * SAMPLE_RATE
"""Samples of replies that are not recorded yet; what the live stream holds of the microphone."""


class _Part(NamedTuple):
    start: int  # sample of the session
    pcm: NDArray[np.int16]

    @property
    def end(self) -> int:
        return self.start + len(self.pcm)


class ReplyTrack:
    """Mixes the replies into the recording: the overlay of a conversation's stream."""

    def __init__(self) -> None:
        self._parts: deque[_Part] = deque()
        self._held = 0  # samples

    def add(self, start: int, pcm: bytes) -> None:
        """Add audio that was played from sample `start` of the session on."""
        part = _Part(start, np.frombuffer(pcm, "<i2"))
        self._parts.append(part)
        self._held += len(part.pcm)
        while self._held > MAX_HELD:
            self._drop()

    def mix(self, first: int, pcm: bytes) -> bytes:
        """The microphone's audio from sample `first` on, with the replies' audio added. Earlier audio of the replies is
        dropped."""
        end = first + len(pcm) // BYTES_PER_SAMPLE
        while self._parts and self._parts[0].end <= first:
            self._drop()
        mixed = np.frombuffer(pcm, "<i2").astype(np.int32)
        for part in self._parts:
            start, stop = max(first, part.start), min(end, part.end)
            if start < stop:
                mixed[start - first : stop - first] += part.pcm[start - part.start : stop - part.start]
        return np.clip(mixed, -32768, 32767).astype("<i2").tobytes()

    def _drop(self) -> None:
        self._held -= len(self._parts.popleft().pcm)
