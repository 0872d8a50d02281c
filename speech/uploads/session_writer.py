"""The session that an upload becomes: what was heard of its parts is put together in their order, each whole part at
once. Synchronous, since it works on the database and on files.
"""

from typing import Self

from inference.messages import SAMPLE_RATE
from speech.batch.chunk_transcriber import ChunkTranscript
from speech.batch.chunking import Chunk
from speech.errors import TakenOver
from speech.library.recording import Recorder, compress_soon
from speech.models import Counts, Session, Upload


class SessionWriter:
    def __init__(self, session: Session) -> None:
        self._session = session
        self._words = self._segments = 0  # that are stored
        self._recorder: Recorder | None = None
        if session.saves_audio:
            room = Session.objects.of(session.owner).usage().audio_room
            self._recorder = Recorder(session.pk, session.epoch, session.samples, room)
        self.end = session.samples
        """The sample with which the next part begins."""

    @classmethod
    def of(cls, upload: Upload) -> Self | None:
        """None if it was cancelled. Raises what `Session.claim_for` does."""
        session = upload.resolve_session()
        return cls(session) if session else None

    def begin(self, engine: str, language: str) -> None:
        """There is a slot."""
        self._words, self._segments = self._session.begin(engine, language)

    def add(self, part: Chunk, heard: ChunkTranscript, slots_lost: int) -> None:
        """`part` begins at `end`. `slots_lost`: since this was made. Raises `TakenOver`."""
        if self._recorder and self._recorder.end < part.end:  # else it was written when its words could not be
            self._recorder.append(part.start, part.mixed)
        heard = heard.shifted(part.start / SAMPLE_RATE, self._words, self._segments)
        counts = Counts(part.end, dropped=0, engines_lost=self._session.engines_lost + slots_lost)
        if not self._session.commit(part.end, heard.words, heard.endpoints, counts):
            raise TakenOver
        self.end = part.end
        self._words += len(heard.words)
        self._segments += len(heard.endpoints)

    def finish(self) -> None:
        self._session.end()
        if self._recorder:
            compress_soon(self._session.pk)
