"""Loudness of a recording over time, for the waveform."""

from collections.abc import Iterable

import numpy as np

from inference.messages import SAMPLE_RATE
from speech.library.recording.chunks import Samples

PER_SECOND = 20
WINDOW = SAMPLE_RATE // PER_SECOND  # samples


def peaks_of(blocks: Iterable[Samples]) -> bytes:
    """One byte per 50 ms: the loudest sample, 255 is full scale. All blocks but the last consist of whole windows."""
    return b"".join(_peaks(block) for block in blocks)


def _peaks(pcm: Samples) -> bytes:
    padded = np.pad(pcm.astype(np.int32), (0, -len(pcm) % WINDOW))
    loudest = np.abs(padded).reshape(-1, WINDOW).max(axis=1)
    return np.minimum(255, loudest // 128).astype(np.uint8).tobytes()
