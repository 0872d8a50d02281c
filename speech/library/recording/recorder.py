"""Writes what a stream hears into the recording of its session."""

import logging
from uuid import UUID

from inference.messages import BYTES_PER_SAMPLE
from speech.library.recording.chunks import Chunk
from speech.library.recording.recording import Recording

logger = logging.getLogger(__name__)


class Recorder:
    """A process that is killed loses nothing that was appended; a disk that is full costs sound, and no word."""

    def __init__(self, session: UUID, epoch: int, position: int, room: int | None) -> None:
        """`position`: the sample with which the stream begins. `room`: bytes of sound that its owner may still keep;
        None: any number."""
        self._session = session
        self._epoch = epoch
        self._folder = Recording(session).folder
        self._chunk: Chunk | None = None
        self._is_failing = False
        # Compressed it takes about half.
        self._until = None if room is None else position + 2 * room // BYTES_PER_SAMPLE
        self.end = position
        """Everything before this sample was written, or cannot be."""

    def append(self, first: int, pcm: bytes) -> None:
        """s16le from sample `first` on, at or after `end`. Works on files."""
        self.end = first + len(pcm) // BYTES_PER_SAMPLE
        if not pcm or (self._until is not None and self.end > self._until):
            return
        try:
            self._write(first, pcm)
            self._is_failing = False
        except OSError as error:
            if not self._is_failing:
                logger.error("the sound of session %s cannot be kept: %r", self._session, error)
            self._is_failing = True

    def _write(self, first: int, pcm: bytes) -> None:
        if self._chunk is None or not self._chunk.path.exists() or self._chunk.end != first:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._chunk = Chunk.at(self._folder, self._epoch, first, "pcm")
        with self._chunk.path.open("ab", buffering=0) as file:
            file.write(pcm)
