"""A session's recording as a whole, put together of its pieces by position.

Each stream of a session appends to a piece of its own, which begins where the stream began, so no two write into the
same file. What a piece has beyond the beginning of the next one was heard by nobody: a stream that was killed, or had
lost the session, wrote it. Where no piece has anything, the disk was full, there is silence; so a word's time is
right whatever happened.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from fcntl import LOCK_EX, flock
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from django.conf import settings

from inference.messages import SAMPLE_RATE
from speech.library.recording.chunks import Chunk, Samples
from speech.library.recording.peaks import peaks_of

BLOCK = 60 * SAMPLE_RATE
"""Samples that are compressed at a time."""


class Recording:
    """All of it works on files: not for the event loop."""

    def __init__(self, session: Any) -> None:
        """`session`: its id."""
        name = str(session)
        self.folder = Path(settings.AUDIO_DIR, name[:2], name)

    @property
    def samples(self) -> int:
        """How long it is, at 24 kHz; 0 if there is none."""
        return max((end for _, _, end in self._chunks()), default=0)

    @property
    def flac(self) -> Path | None:
        """The file that has all of it; None while it is still made."""
        pieces = Chunk.all_in(self.folder)
        return pieces[0].path if len(pieces) == 1 and pieces[0].is_compressed else None

    def read(self, first: int, end: int) -> Samples:
        """int16[end - first], mono, 24 kHz: from sample `first` of the session to before `end`."""
        pcm = np.zeros(max(0, end - first), np.int16)
        for piece, start, stop in self._chunks():
            begin, until = max(first, start), min(end, stop)
            if begin < until:
                part = piece.read(begin, until)
                pcm[begin - first : begin - first + len(part)] = part
        return pcm

    def blocks(self) -> Iterator[Samples]:
        """All of it, a minute at a time."""
        samples = self.samples
        for first in range(0, samples, BLOCK):
            yield self.read(first, min(samples, first + BLOCK))

    def peaks(self) -> bytes:
        """How loud it is over time, as `peaks_of` has it."""
        cached = self.folder / "peaks"
        if self.flac and cached.exists():
            return cached.read_bytes()
        return peaks_of(self.blocks())

    def compress(self) -> int:
        """Compress what streams have left. Only once the session is over. Returns the bytes that it takes now."""
        with self._locked():
            if not self.flac and (pieces := Chunk.all_in(self.folder)):
                packed = Chunk.at(self.folder, pieces[-1].epoch, 0, "flac")
                self._compress(packed.path)
                for piece in pieces:
                    if piece.path != packed.path:
                        piece.path.unlink()
            return sum(path.stat().st_size for path in self.folder.iterdir())

    def remove(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    def _compress(self, path: Path) -> None:
        made = path.with_suffix(".making")
        with soundfile.SoundFile(made, "w", SAMPLE_RATE, 1, "PCM_16", format="FLAC") as flac:
            for block in self.blocks():
                flac.write(block)
        with made.open("rb") as written:
            os.fsync(written.fileno())
        (self.folder / "peaks").write_bytes(peaks_of(self.blocks()))
        made.rename(path)

    def _chunks(self) -> Iterator[tuple[Chunk, int, int]]:
        """Of each piece: from which to which sample it counts."""
        pieces = Chunk.all_in(self.folder)
        starts = [piece.start for piece in pieces[1:]]
        for piece, following in zip_longest(pieces, starts):
            yield piece, piece.start, piece.end if following is None else min(piece.end, following)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self.folder.mkdir(parents=True, exist_ok=True)
        folder = os.open(self.folder, os.O_RDONLY)
        try:
            flock(folder, LOCK_EX)
            yield
        finally:
            os.close(folder)
