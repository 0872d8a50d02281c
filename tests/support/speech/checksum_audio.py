"""Audio for the checksum engine, and the words that the engine must return for it."""

import numpy as np

from inference.engines.testing.checksum import WORD_FRAMES, checksum
from inference.messages import FRAME_BYTES, FRAME_SAMPLES


def noise(frames: int, seed: int = 0) -> bytes:
    """Noise: s16le, 24 kHz."""
    return np.random.default_rng(seed).integers(-32768, 32768, frames * FRAME_SAMPLES).astype("<i2").tobytes()


def words_of(pcm: bytes) -> list[str]:
    """Words that the engine must return for complete audio."""
    pcm += bytes(-len(pcm) % FRAME_BYTES)
    audio = np.frombuffer(pcm, "<i2").astype(np.float32) / np.float32(32768)
    word = WORD_FRAMES * FRAME_SAMPLES
    return [checksum(audio[i : i + word]) for i in range(0, len(audio), word)]
