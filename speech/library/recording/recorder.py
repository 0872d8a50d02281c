"""Writing the audio of a stream into the recording of its session."""

import errno
import logging
import os
from uuid import UUID

from inference.messages import BYTES_PER_SAMPLE
from speech import disk_space
from speech.library.recording.chunks import Chunk
from speech.library.recording.recording import Recording

logger = logging.getLogger(__name__)


class Recorder:
    """Appends audio. A killed process loses nothing already appended; a disk that is full up to the reserve loses audio
    but no words."""

    def __init__(self, session: UUID, epoch: int, position: int, max_bytes: int | None) -> None:
        """`position`: first sample of the stream. `max_bytes`: bytes of audio that its owner can still save; None: no
        limit."""
        self._session = session
        self._epoch = epoch
        self._folder = Recording(session).folder
        self._chunk: Chunk | None = None
        self._is_failing = False
        # Compression halves the size, roughly.
        self._until = None if max_bytes is None else position + 2 * max_bytes // BYTES_PER_SAMPLE
        self.end = position
        """Every sample before this one is written, or could not be."""

    def append(self, first: int, pcm: bytes) -> None:
        """Append s16le audio that starts at sample `first`, at or after `end`. Blocks on file I/O."""
        self.end = first + len(pcm) // BYTES_PER_SAMPLE
        if not pcm or (self._until is not None and self.end > self._until):
            return
        try:
            self._write(first, pcm)
            self._is_failing = False
        except OSError as error:
            if not self._is_failing:
                logger.error("could not save audio of session %s: %r", self._session, error)
            self._is_failing = True

    def _write(self, first: int, pcm: bytes) -> None:
        if disk_space.available(self._folder) < len(pcm):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self._folder))
        if self._chunk is None or not self._chunk.path.exists() or self._chunk.end != first:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._chunk = Chunk.at(self._folder, self._epoch, first, "pcm")
        with self._chunk.path.open("ab", buffering=0) as file:
            file.write(pcm)
