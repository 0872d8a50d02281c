"""Writing the session of an upload, chunk by chunk in order. Synchronous: it works on the database and on files."""

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
        self._words = self._segments = 0  # stored so far
        self._recorder: Recorder | None = None
        if session.saves_audio:
            max_bytes = Session.objects.of(session.owner).usage().audio_bytes_left
            self._recorder = Recorder(session.pk, session.epoch, session.samples, max_bytes)
        self.end = session.samples
        """First sample of the next chunk."""

    @classmethod
    def of(cls, upload: Upload) -> Self | None:
        """None if the upload was canceled. Raises as `Session.acquire` does."""
        session = upload.resolve_session()
        return cls(session) if session else None

    def start(self, engine: str, language: str) -> None:
        """Start the session once there is a slot."""
        self._words, self._segments, _ = self._session.start(engine, language)

    def add(self, chunk: Chunk, transcript: ChunkTranscript, slots_lost: int) -> None:
        """Store a chunk that starts at `end`. `slots_lost`: since this writer was created. Raises `TakenOver`."""
        if self._recorder and self._recorder.end < chunk.end:  # otherwise an earlier attempt has written its audio
            self._recorder.append(chunk.start, chunk.mixed)
        transcript = transcript.shifted(chunk.start / SAMPLE_RATE, self._words, self._segments)
        counts = Counts(chunk.end, dropped=0, engines_lost=self._session.engines_lost + slots_lost)
        if not self._session.commit(chunk.end, transcript.words, transcript.endpoints, counts):
            raise TakenOver
        self.end = chunk.end
        self._words += len(transcript.words)
        self._segments += len(transcript.endpoints)

    def finish(self) -> None:
        self._session.end()
        if self._recorder:
            compress_soon(self._session.pk)
