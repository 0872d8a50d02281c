"""Cuts a recording into parts that can be heard beside each other, each in a slot of its own: where it is quietest, for
nobody is in the middle of a word there. Where that is depends on nothing but the sound.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference.messages import BYTES_PER_SAMPLE, FRAME_BYTES, FRAME_SAMPLES

SHORTEST, LONGEST = 560, 940
"""Frames of a part: 45 to 75 seconds. The last one may be shorter. What an engine learns of a voice and of what is said
it learns anew in each part, so they are not short; what is interrupted is heard again, so they are not long."""
PAUSE = 5
"""Frames, 0.4 s, over which the sound is measured."""


@dataclass(frozen=True)
class Chunk:
    start: int  # sample of the recording
    pcm: bytes  # s16le, 24 kHz, its channels interleaved
    channels: int = 1

    @property
    def end(self) -> int:
        """The sample after its last one."""
        return self.start + len(self.pcm) // BYTES_PER_SAMPLE // self.channels

    @property
    def split_channels(self) -> list[bytes]:
        """Each channel alone."""
        return [side.tobytes() for side in self._samples.T] if self.channels > 1 else [self.pcm]

    @property
    def mixed(self) -> bytes:
        return self._samples.mean(axis=1, dtype=np.float32).astype("<i2").tobytes() if self.channels > 1 else self.pcm

    @property
    def _samples(self) -> NDArray[np.int16]:
        return np.frombuffer(self.pcm, "<i2").reshape(-1, self.channels)


async def split(sound: AsyncGenerator[bytes], start: int = 0, channels: int = 1) -> AsyncGenerator[Chunk]:
    """`sound`: s16le, 24 kHz, its channels interleaved, in whole samples, which begins with sample `start` of the
    recording."""
    held = bytearray()
    frame = FRAME_BYTES * channels
    async with aclosing(sound):
        async for pcm in sound:
            held += pcm
            while len(held) >= LONGEST * frame:
                size = await asyncio.to_thread(quietest_frame, bytes(held[: LONGEST * frame]), channels) * frame
                part = Chunk(start, bytes(held[:size]), channels)
                del held[:size]
                yield part
                start = part.end
    if held:
        yield Chunk(start, bytes(held), channels)


def quietest_frame(pcm: bytes, channels: int = 1) -> int:
    """The frame of `pcm`, which has `LONGEST`, in the middle of its quietest pause: the next part begins with it."""
    frames = np.frombuffer(pcm, "<i2").astype(np.float32).reshape(-1, FRAME_SAMPLES * channels)
    loudness = np.square(frames[SHORTEST:]).mean(axis=1)
    around = np.convolve(loudness, np.ones(PAUSE), "valid")  # of so many frames from each one on
    return SHORTEST + int(around.argmin()) + PAUSE // 2
