"""Chunks of a recording that can be transcribed in parallel, each in a slot of its own.

A recording is split where it is quietest, because no speaker is within a word there. The positions depend on the audio
only.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference.messages import BYTES_PER_SAMPLE, FRAME_BYTES, FRAME_SAMPLES
from speech.batch.decoder.downmix import Downmix

MIN_FRAMES, MAX_FRAMES = 560, 940
"""Frames of a chunk: 45 to 75 seconds; the last one can be shorter. An engine adapts to voice and topic again in
each chunk, so they are not short; an interrupted chunk is transcribed again, so they are not long."""
PAUSE = 5
"""Frames, 0.4 s, over which the loudness is measured."""


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
        """Each channel separately."""
        return [channel.tobytes() for channel in self._samples.T] if self.channels > 1 else [self.pcm]

    @property
    def mixed(self) -> bytes:
        """Mono."""
        if self.channels == 1:
            return self.pcm
        downmix = Downmix()
        return np.concatenate([downmix.push(self._samples), downmix.flush()]).tobytes()

    @property
    def _samples(self) -> NDArray[np.int16]:
        return np.frombuffer(self.pcm, "<i2").reshape(-1, self.channels)


async def split(audio: AsyncGenerator[bytes], start: int = 0, channels: int = 1) -> AsyncGenerator[Chunk]:
    """`audio`: s16le, 24 kHz, its channels interleaved, in whole samples, from sample `start` of the recording."""
    buffer = bytearray()
    frame = FRAME_BYTES * channels
    async with aclosing(audio):
        async for pcm in audio:
            buffer += pcm
            while len(buffer) >= MAX_FRAMES * frame:
                size = await asyncio.to_thread(quietest_frame, bytes(buffer[: MAX_FRAMES * frame]), channels) * frame
                chunk = Chunk(start, bytes(buffer[:size]), channels)
                del buffer[:size]
                yield chunk
                start = chunk.end
    if buffer:
        yield Chunk(start, bytes(buffer), channels)


def quietest_frame(pcm: bytes, channels: int = 1) -> int:
    """Index of the frame in the middle of the quietest pause of `pcm`, which has `MAX_FRAMES`: the next chunk starts
    there."""
    frames = np.frombuffer(pcm, "<i2").astype(np.float32).reshape(-1, FRAME_SAMPLES * channels)
    loudness = np.square(frames[MIN_FRAMES:]).mean(axis=1)
    around = np.convolve(loudness, np.ones(PAUSE), "valid")  # of so many frames from each one on
    return MIN_FRAMES + int(around.argmin()) + PAUSE // 2
