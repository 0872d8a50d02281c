"""A session's whole recording, assembled from its chunks by position.

Each stream of a session appends to a chunk of its own, which starts where the stream started, so no two processes write
to the same file. Audio of a chunk beyond the start of the next one was never transcribed: a stream wrote it that was
killed or had lost the session. Missing audio, after a full disk, is replaced with silence, so word times stay correct.
"""

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from fcntl import LOCK_EX, flock
from itertools import zip_longest
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import soundfile
from django.conf import settings

from inference.messages import SAMPLE_RATE
from speech.library.recording.chunks import Chunk, Samples
from speech.library.recording.peaks import peaks_of

BLOCK = 60 * SAMPLE_RATE
"""Samples to compress at a time."""

Result = TypeVar("Result")


class Recording:
    """All methods block on file I/O: don't call them on the event loop."""

    def __init__(self, session: Any) -> None:
        """`session`: its id."""
        name = str(session)
        self.folder = Path(settings.AUDIO_DIR, name[:2], name)

    @property
    def samples(self) -> int:
        """Duration in samples at 24 kHz; 0 if there is no recording."""
        return self._with_chunks(lambda chunks: max((end for _, _, end in _ranges(chunks)), default=0))

    @property
    def flac(self) -> Path | None:
        """The compressed file; None while there is none."""
        chunks = Chunk.all_in(self.folder)
        return chunks[0].path if len(chunks) == 1 and chunks[0].is_compressed else None

    def read(self, first: int, end: int) -> Samples:
        """int16[end - first], mono, 24 kHz: samples `first` to `end` (exclusive) of the session."""

        def read(chunks: Sequence[Chunk]) -> Samples:
            pcm = np.zeros(max(0, end - first), np.int16)
            for chunk, chunk_start, chunk_end in _ranges(chunks):
                start, stop = max(first, chunk_start), min(end, chunk_end)
                if start < stop:
                    part = chunk.read(start, stop)
                    pcm[start - first : start - first + len(part)] = part
            return pcm

        return self._with_chunks(read)

    def blocks(self) -> Iterator[Samples]:
        """The whole recording, a minute at a time."""
        samples = self.samples
        for first in range(0, samples, BLOCK):
            yield self.read(first, min(samples, first + BLOCK))

    def peaks(self) -> bytes:
        """Loudness over time, in the format of `peaks_of`."""
        cached = self.folder / "peaks"
        if self.flac and cached.exists():
            return cached.read_bytes()
        return peaks_of(self.blocks())

    def compress(self) -> int:
        """Compress the chunks into one file, after the session has ended. Returns the bytes on disk."""
        with self._locked():
            if not self.flac and (chunks := Chunk.all_in(self.folder)):
                compressed = Chunk.at(self.folder, chunks[-1].epoch, 0, "flac")
                self._compress(compressed.path)
                for chunk in chunks:
                    if chunk.path != compressed.path:
                        chunk.path.unlink()
            return sum(path.stat().st_size for path in self.folder.iterdir())

    def remove(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    def _compress(self, path: Path) -> None:
        partial = path.with_suffix(".partial")
        with soundfile.SoundFile(partial, "w", SAMPLE_RATE, 1, "PCM_16", format="FLAC") as flac:
            for block in self.blocks():
                flac.write(block)
        with partial.open("rb") as written:
            os.fsync(written.fileno())
        (self.folder / "peaks").write_bytes(peaks_of(self.blocks()))
        partial.rename(path)

    def _with_chunks(self, read: Callable[[Sequence[Chunk]], Result]) -> Result:
        """Call `read` with the chunks, again if files of them are replaced meanwhile, because they are compressed."""
        while True:
            chunks = Chunk.all_in(self.folder)
            try:
                return read(chunks)
            except (FileNotFoundError, soundfile.LibsndfileError):
                if Chunk.all_in(self.folder) == chunks:
                    raise

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self.folder.mkdir(parents=True, exist_ok=True)
        folder = os.open(self.folder, os.O_RDONLY)
        try:
            flock(folder, LOCK_EX)
            yield
        finally:
            os.close(folder)


def _ranges(chunks: Sequence[Chunk]) -> Iterator[tuple[Chunk, int, int]]:
    """Each chunk with its valid range: start and end (exclusive)."""
    starts = [chunk.start for chunk in chunks[1:]]
    for chunk, next_start in zip_longest(chunks, starts):
        yield chunk, chunk.start, chunk.end if next_start is None else min(chunk.end, next_start)
