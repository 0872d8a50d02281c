"""Numbers the words of a live session and stores them, together with how far the audio is transcribed."""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from django.db import DatabaseError

from inference import messages
from inference.observability.recent_errors import RECOVERED
from inference.observability.tracing import span
from speech import events
from speech.errors import StreamError, TakenOver, Unavailable
from speech.gateway.database import in_database
from speech.live.unsaved_session import UnsavedSession
from speech.models import Counts, Session

logger = logging.getLogger(__name__)

STORE_WORDS_INTERVAL = 1.0
STORE_SILENCE_INTERVAL = 5.0
"""Seconds; it also is the session's sign of life."""


Write = Callable[[], None]


@dataclass(frozen=True)
class Stored:
    sample: int | None  # up to which everything is; None: the database is away


class Transcript:
    """Words and end-points are told at once and stored with the next `settle`, which says where to begin after them."""

    def __init__(
        self,
        session: Session | UnsavedSession,
        stored: Callable[[Stored], None],
        fail: Callable[[StreamError], None],
        record: Callable[[int], Write],
    ) -> None:
        """`stored` and `fail` are called with what became of storing, which happens beside whoever holds this.
        `record` has whatever else is to be kept of the audio before a sample, which happens in the same thread."""
        self._session = session
        self._stored = stored
        self._fail = fail
        self._record = record
        self._storing: asyncio.Task[None] | None = None
        self._pending = _Batch()
        self._final = _Batch()
        self._tried_at = time.monotonic()
        self._stored_words = 0
        self._stored_segments = 0
        self._stored_sample = session.samples
        self.is_failing = False
        """It could not be stored the last time."""
        self.final_until = session.samples
        """All words so far lie before this sample, and no more will come there."""

    async def begin(self, engine: str, language: str) -> None:
        """Raises `Unavailable`."""
        try:
            self._stored_words, self._stored_segments = await in_database(self._session.begin, engine, language)
        except DatabaseError as error:
            logger.error("session %s could not begin: %r", self._session.pk, error)
            raise Unavailable from None

    def add_word(self, word: messages.Word) -> events.Word:
        numbered = events.Word(self.words, self._segment, word.text, word.start, word.end, word.confidence)
        self._pending.words.append(numbered)
        return numbered

    def add_endpoint(self, endpoint: messages.Endpoint) -> events.Endpoint:
        numbered = events.Endpoint(self._segment, endpoint.start, endpoint.end, endpoint.language)
        self._pending.endpoints.append(numbered)
        return numbered

    @property
    def _segment(self) -> int:
        return self._stored_segments + len(self._final.endpoints) + len(self._pending.endpoints)

    def advance_final_until(self, sample: int) -> None:
        self.final_until = max(self.final_until, sample)
        self.finalize_pending()

    def finalize_pending(self) -> None:
        """Nobody may come back, so the last words are stored; who does sends their audio again, and has them anew."""
        if self._pending:
            self._final = self._final + self._pending
            self._pending = _Batch()

    def discard_pending(self) -> None:
        """The engine was lost between words and their `Step`; they will come again."""
        self._pending = _Batch()

    @property
    def words(self) -> int:
        """How many were told and will not come again."""
        return self._stored_words + len(self._final.words) + len(self._pending.words)

    @property
    def is_stored(self) -> bool:
        return not self._final and self.final_until == self._stored_sample

    def store_if_due(self, counts: Counts, at_once: bool = False) -> None:
        """Begin to store what is settled, if it is time: at the end of an utterance, every second, or `at_once`."""
        if self._storing is None and (self._is_due or (at_once and not self.is_stored and not self.is_failing)):
            self._tried_at = time.monotonic()
            self._storing = asyncio.create_task(self._store(counts))

    @property
    def _is_due(self) -> bool:
        if self._final.endpoints and not self.is_failing:
            return True
        waited = time.monotonic() - self._tried_at
        return waited > (STORE_WORDS_INTERVAL if self._final or self.is_failing else STORE_SILENCE_INTERVAL)

    async def _store(self, counts: Counts) -> None:
        batch, sample = self._final, self.final_until
        try:
            with span("store", words=len(batch.words)):
                is_mine = await in_database(self._commit, self._record(sample), sample, batch, counts)
        except DatabaseError as error:
            self._on_failure(error)
            self._stored(Stored(None))
        except Exception:
            logger.exception("session %s could not be stored", self._session.pk)
            self._fail(Unavailable())
        else:
            if is_mine:
                self._on_stored(batch, sample)
                self._stored(Stored(sample))
            else:
                self._fail(TakenOver())
        finally:
            self._storing = None

    def _commit(self, record: Write, sample: int, batch: "_Batch", counts: Counts) -> bool:
        record()  # first: whoever dies in between comes back to where the words end, and sends it again
        return self._session.commit(sample, batch.words, batch.endpoints, counts)

    def _on_failure(self, error: DatabaseError) -> None:
        if not self.is_failing:
            logger.error("session %s cannot be stored, trying again every second: %r", self._session.pk, error)
        self.is_failing = True

    def _on_stored(self, batch: "_Batch", sample: int) -> None:
        if self.is_failing:
            logger.info("session %s is stored again", self._session.pk, extra=RECOVERED)
        self.is_failing = False
        self._final = self._final.after(batch)  # more may have come meanwhile
        self._stored_sample = sample
        self._stored_words += len(batch.words)
        self._stored_segments += len(batch.endpoints)

    async def end(self, received: int, counts: Counts) -> None:
        """The stream is over, all samples before `received` came in. What cannot be stored now is sent again, if its
        speaker comes back."""
        if self._storing:
            await asyncio.wait([self._storing])
        record = self._record(received)
        try:
            if self._final:
                await in_database(self._commit, record, self.final_until, self._final, counts)
            else:
                await in_database(record)
            await in_database(self._session.end)
        except DatabaseError as error:
            logger.error("session %s could not be ended: %r", self._session.pk, error)


@dataclass(frozen=True)
class _Batch:
    words: list[events.Word] = field(default_factory=list)
    endpoints: list[events.Endpoint] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.words or self.endpoints)

    def __add__(self, other: "_Batch") -> "_Batch":
        return _Batch(self.words + other.words, self.endpoints + other.endpoints)

    def after(self, first: "_Batch") -> "_Batch":
        """Without what is in `first`, with which this one begins."""
        return _Batch(self.words[len(first.words) :], self.endpoints[len(first.endpoints) :])
