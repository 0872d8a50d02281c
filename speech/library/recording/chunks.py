"""A chunk of a recording: one file, whose name is its position in the session.

`EPOCH-START.pcm` is the audio that one stream of the session has appended: signed 16-bit little-endian, mono, 24 kHz.
`EPOCH-0.flac` is all audio up to that stream, compressed.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt
import soundfile

from inference.messages import BYTES_PER_SAMPLE

Samples = npt.NDArray[np.int16]

_NAME = re.compile(r"(\d+)-(\d+)\.(pcm|flac)")


@dataclass(frozen=True, order=True)
class Chunk:
    epoch: int
    start: int
    """First sample, counted from the start of the session."""
    path: Path

    @classmethod
    def at(cls, folder: Path, epoch: int, start: int, suffix: str) -> Self:
        return cls(epoch, start, folder / f"{epoch:06}-{start:012}.{suffix}")

    @classmethod
    def all_in(cls, folder: Path) -> list[Self]:
        """Chunks in order; where they overlap, later ones count."""
        found = [(match, path) for path in folder.glob("*-*.*") if (match := _NAME.fullmatch(path.name))]
        return sorted(cls(int(match[1]), int(match[2]), path) for match, path in found)

    @property
    def is_compressed(self) -> bool:
        return self.path.suffix == ".flac"

    @property
    def end(self) -> int:
        """The sample after the last one."""
        if self.is_compressed:
            return self.start + int(soundfile.info(self.path).frames)
        return self.start + self.path.stat().st_size // BYTES_PER_SAMPLE

    def read(self, first: int, end: int) -> Samples:
        """int16[≤ end - first]: its samples from `first` to `end` (exclusive) of the session."""
        skip, count = first - self.start, end - first
        if self.is_compressed:
            with soundfile.SoundFile(self.path) as flac:
                flac.seek(skip)
                return flac.read(count, dtype="int16")
        return np.fromfile(self.path, "<i2", count, offset=skip * BYTES_PER_SAMPLE)
