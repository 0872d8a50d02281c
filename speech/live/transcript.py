"""Words of a live session: numbered, and stored together with how far the audio is transcribed."""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import takewhile

from django.db import DatabaseError

from inference import messages
from inference.messages import SAMPLE_RATE
from inference.observability.recent_errors import NETWORK_ERROR, RECOVERED, classify
from inference.observability.tracing import span
from speech import events
from speech.errors import StreamError, TakenOver, Unavailable
from speech.gateway.database import in_database
from speech.live.unsaved_session import UnsavedSession
from speech.models import Counts, NextNumbers, Session, TimedWord
from speech.models.words import WORD_LENGTH

logger = logging.getLogger(__name__)

STORE_WORDS_INTERVAL = 1.0
STORE_SILENCE_INTERVAL = 5.0
"""Seconds; storing also shows that the session is alive."""

Write = Callable[[], None]


@dataclass(frozen=True)
class Stored:
    sample: int | None
    """Everything before this sample is stored; None: the database is unavailable."""


class Transcript:
    """Words and endpoints are emitted at once. They are stored when the engine has made them final, with the sample up
    to which everything is final: there a stream that lost its engine goes on, and later words are recognized again.

    Inserted segments are numbered while no transcribed word is pending, because pending ones may be numbered again.
    """

    def __init__(
        self,
        session: Session | UnsavedSession,
        stored: Callable[[Stored], None],
        fail: Callable[[StreamError], None],
        record: Callable[[int], Write],
        speaker: str = "",
    ) -> None:
        """`stored` and `fail` get the outcome of storing, which runs in its own task. `record(sample)` returns a
        function that saves the audio before `sample`; it is called in the same thread as the database. `speaker`: who
        speaks the words that are transcribed."""
        self._session = session
        self._on_stored = stored
        self._fail = fail
        self._record = record
        self._speaker = speaker
        self._storing: asyncio.Task[None] | None = None
        self._pending = _Batch()
        self._final = _Batch()
        self._insertions: deque[tuple[str, Sequence[TimedWord]]] = deque()  # speakers and words, not numbered yet
        self._tried_at = time.monotonic()
        self._next = NextNumbers()  # after the final words
        self._stored_sample = session.samples
        self._has_started = self._is_numbered = False
        self.is_failing = False
        """The last attempt to store failed."""
        self.stored_insertions = 0
        """Number of inserted segments that are stored."""
        self.final_until = session.samples
        """No word before this sample will come or change any more."""

    async def start(self, engine: str, language: str) -> None:
        """Store which engine transcribes the session; once, later calls do nothing. Raises `Unavailable`."""
        if self._has_started:
            return
        self._has_started = True
        try:
            self._next = await in_database(self._session.start, engine, language)
        except DatabaseError as error:
            logger.error("could not start session %s: %r", self._session.pk, error, extra=classify(error))
            raise Unavailable from None
        self._is_numbered = True
        self._number_insertions()

    def add_word(self, word: messages.Word) -> events.Word:
        numbered = events.Word(self.words, self._segment, word.text, word.start, word.end, word.confidence)
        self._pending.words.append(numbered)
        return numbered

    def add_endpoint(self, endpoint: messages.Endpoint) -> events.Endpoint:
        numbered = events.Endpoint(self._segment, endpoint.start, endpoint.end, endpoint.language, self._speaker)
        self._pending.endpoints.append(numbered)
        return numbered

    @property
    def _segment(self) -> int:
        """Number of the segment that the next word belongs to."""
        return self._segment_after(self._pending)

    def _segment_after(self, pending: "_Batch") -> int:
        ended = len(pending.endpoints)
        if self._next.open_segment is None:
            return self._next.segment + ended
        return self._next.segment + ended - 1 if ended else self._next.open_segment

    def insert_segment(self, speaker: str, words: Sequence[TimedWord]) -> None:
        """Store a segment that was not transcribed; times in seconds of the session."""
        self._insertions.append((speaker, words))
        self._number_insertions()

    def advance_final_until(self, sample: int) -> None:
        """No word before `sample` will come or change any more. Words that begin after it stay pending: they come again
        if the engine is lost."""
        self.final_until = max(self.final_until, sample)
        self._finalize(self._pending.before(self.final_until / SAMPLE_RATE))

    def finalize_pending(self) -> None:
        """Store words that are not final yet: the engine has processed all audio, or the client may never reconnect. If
        it does, it sends that audio again and the words are recognized again."""
        self._finalize(self._pending)

    def _finalize(self, batch: "_Batch") -> None:
        """Finalize the first of the pending words."""
        if batch:
            words, segment = batch.words, self._segment_after(batch)
            is_open = segment == self._next.open_segment or bool(words and words[-1].segment == segment)
            next_segment = max(self._next.segment, segment + is_open)
            self._next = NextNumbers(self._next.word + len(words), next_segment, segment if is_open else None)
            self._final = self._final + batch
            self._pending = self._pending.after(batch)
        self._number_insertions()

    def discard_pending(self) -> int:
        """The engine was lost before it made these words final. Returns the index from which on words come again."""
        self._pending = _Batch()
        first = self.words
        self._number_insertions()
        return first

    def _number_insertions(self) -> None:
        while self._insertions and self._is_numbered and not self._pending:
            speaker, inserted = self._insertions.popleft()
            first, segment, open_segment = self._next
            pieces = enumerate(_pieces(inserted, self.final_until / SAMPLE_RATE), first)
            words = [events.Word(index, segment, text, start, end, None) for index, (text, start, end) in pieces]
            if words:
                start, end = min(word.start for word in words), max(word.end for word in words)
                self._final = self._final + _Batch(words, [events.InsertedSegment(segment, start, end, "", speaker)])
                self._next = NextNumbers(first + len(words), segment + 1, open_segment)

    @property
    def words(self) -> int:
        """Index of the next word: the number of words so far, unless discarded ones left gaps before inserted ones."""
        return self._next.word + len(self._pending.words)

    @property
    def is_stored(self) -> bool:
        return not self._final and not self._insertions and self.final_until == self._stored_sample

    def store_if_due(self, counts: Counts, at_once: bool = False) -> None:
        """Start storing what is final if it is due: at an endpoint, every second, or `at_once`."""
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
                is_current = await in_database(self._commit, self._record(sample), sample, batch, counts)
        except DatabaseError as error:
            if not self.is_failing:
                message = "could not store session %s; retrying every second: %r"
                logger.error(message, self._session.pk, error, extra=classify(error))
            self.is_failing = True
            self._on_stored(Stored(None))
        except Exception:
            logger.exception("could not store session %s", self._session.pk)
            self._fail(Unavailable())
        else:
            if is_current:
                self._after_commit(batch, sample)
                self._on_stored(Stored(sample))
            else:
                self._fail(TakenOver())
        finally:
            self._storing = None

    def _commit(self, record: Write, sample: int, batch: "_Batch", counts: Counts) -> bool:
        record()  # first: a client that reconnects after a crash in between sends from where the words end
        return self._session.commit(sample, batch.words, batch.endpoints, counts)

    def _after_commit(self, batch: "_Batch", sample: int) -> None:
        if self.is_failing:
            logger.info("storing session %s again", self._session.pk, extra=NETWORK_ERROR | RECOVERED)
        self.is_failing = False
        self._final = self._final.after(batch)  # more may have become final meanwhile
        self._stored_sample = sample
        self.stored_insertions += sum(endpoint.is_inserted for endpoint in batch.endpoints)

    async def end(self, received: int, counts: Counts) -> None:
        """Store the rest; all samples before `received` were received. A client that reconnects sends again what cannot
        be stored now."""
        if self._storing:
            await asyncio.wait([self._storing])
        self.finalize_pending()
        record = self._record(received)
        try:
            if self._final:
                await in_database(self._commit, record, self.final_until, self._final, counts)
            else:
                await in_database(record)
            await in_database(self._session.end)
        except DatabaseError as error:
            logger.error("could not end session %s: %r", self._session.pk, error, extra=classify(error))


@dataclass(frozen=True)
class _Batch:
    words: list[events.Word] = field(default_factory=list)
    endpoints: list[events.Endpoint] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.words or self.endpoints)

    def __add__(self, other: "_Batch") -> "_Batch":
        return _Batch(self.words + other.words, self.endpoints + other.endpoints)

    def before(self, seconds: float) -> "_Batch":
        """Words that begin before that time, and the endpoints of their segments."""
        words = list(takewhile(lambda word: word.start < seconds, self.words))
        rest = self.words[len(words) :]
        ended = [end for end in self.endpoints if end.start < seconds and not (rest and end.segment >= rest[0].segment)]
        return _Batch(words, ended)

    def after(self, first: "_Batch") -> "_Batch":
        """The rest of this batch, which begins with `first`."""
        return _Batch(self.words[len(first.words) :], self.endpoints[len(first.endpoints) :])


def _pieces(words: Sequence[TimedWord], position: float) -> Iterator[tuple[str, float, float]]:
    """Text, start and end of the words as the database accepts them. A word without times follows its predecessor,
    the first one `position`, in seconds."""
    for word in words:
        start = position if word.start is None else word.start
        position = end = start if word.end is None else word.end
        text = word.text.replace("\0", "").encode(errors="replace").decode()  # no lone surrogates
        for first in range(0, len(text), WORD_LENGTH):
            yield text[first : first + WORD_LENGTH], start, end
