"""One live speaking job: text goes in, piece by piece, and audio and word times come out.

    job = Speaking(user, tell, voice="slt")
    task = asyncio.create_task(job.run())
    job.say("Some text, ")    # as it comes; white space parts words, also between two calls
    job.say("and more. ")
    job.finish()              # no more: `run` returns after `events.Finished`
    job.stop()                # barge-in: the slot is free at once, and `run` returns

`tell` is awaited for each event (`events.Begun`, `Audio`, `Spoken`, `Unspoken`, `Interrupted`, `Finished`, and `Queued`
with `wait=True`). Whoever is slow to take them slows the engine down: no more than `AHEAD` characters are sent beyond
those whose audio was told. When the engine is lost another slot is asked for, and the job goes on with the first word
that was not told to its end.
"""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import ClassVar
from uuid import uuid4

from django.conf import settings

from accounts.models import User
from inference import messages
from inference.messages import BYTES_PER_SAMPLE, FRAME_SAMPLES, SAMPLE_RATE, Down, Marker, Text
from inference.observability.tracing import add_event
from speech import errors, events
from speech.gateway.active_streams import registered
from speech.gateway.connection import Connection
from speech.gateway.link import Link
from speech.gateway.slot_search import SlotSearch
from speech.live.inbox import Inbox
from speech.metrics import FIRST_AUDIO, REPLAYS
from speech.synthesis.text_normalization.normalizer import TextNormalizer
from speech.synthesis.voices import SelectedVoice, select_voice
from speech.synthesis.word_tracker import WordGroup, WordTracker

logger = logging.getLogger(__name__)

MAX_TEXT = 100_000
"""Characters of one job: some two hours of speech."""
MAX_AHEAD = 400
NORMALIZE_AT_ONCE = 400
"""Characters that are turned into words at once; it takes some milliseconds of the event loop."""
MAX_INBOX = 4_000
"""What `AHEAD` characters give, spoken slowly, is far less."""
KEEPALIVE_INTERVAL = 5.0
IDLE_TIMEOUT = 60.0
"""Seconds for which a slot is held while no text comes."""
MAX_LOSSES = 3
"""Engines lost one after another without a sound between."""
RECOVERY_TIMEOUT = 30.0
"""Seconds from the loss of an engine until there is another one."""


class SynthesisJob:
    _open_jobs: ClassVar[Counter[int]] = Counter()
    """How many jobs each user has in this process."""

    def __init__(
        self,
        owner: User,
        tell: Callable[[events.Event], Awaitable[None]],
        *,
        engine: str = "",
        voice: str = "",
        language: str = "",
        controls: Mapping[str, float] | None = None,
        wait: bool = False,
    ) -> None:
        """What is left out is the server's choice. `wait`: queue for a slot instead of failing at capacity."""
        self.id, self.owner, self.kind, self.began = uuid4(), owner, "tts", 0.0
        self._emit = tell
        self._requested = {"engine": engine, "voice": voice, "language": language}
        self._controls = dict(controls or {})
        self._link = Link.current()
        self._inbox: Inbox[Down] = Inbox(MAX_INBOX)
        self._slot_request = SlotSearch(self._link, self._post, kind="tts", may_wait=wait)
        self._voice: SelectedVoice
        self._normalizer: TextNormalizer
        self._unread_text = ""  # said, and not turned into words
        self._text = ""
        self._is_finished = self._is_stopped = self._is_over = False
        self._failure: errors.StreamError | None = None
        self._words = WordTracker()
        self._end_sent = False
        self._emitted_samples = 0  # samples
        self._emitted_words = 0
        self._skipped_reported = 0  # of what cannot be spoken
        self._connection: Connection | None = None
        self._losses = 0
        self._lost_at: float | None = None
        self._first_text_at: float | None = None
        self._last_text_at = self._last_sent_at = time.monotonic()

    # --- What its holder calls ------------------------------------------------------------------------------------

    def add_text(self, text: str) -> None:
        """Text that follows what was said before. Raises `UnfitText` if it is too much, or comes after `finish`."""
        if self._is_finished:
            raise errors.InvalidText("Text came after the end.", "Nothing follows what was finished.", "Begin anew.")
        if len(self._text) + len(text) > MAX_TEXT:
            raise errors.InvalidText(
                "The text is too long.",
                f"At most {MAX_TEXT:,} characters are spoken in one go.",
                "Have it spoken in parts.",
            )
        self._text += text
        self._unread_text += text
        self._last_text_at = time.monotonic()
        self._first_text_at = self._first_text_at or self._last_text_at
        self._inbox.wake()

    def finish(self) -> None:
        """No more text follows."""
        self._is_finished = True
        self._inbox.wake()

    def stop(self) -> None:
        """Nobody listens any more."""
        self._is_stopped = True
        self._release_slot()
        self._inbox.wake()

    def fail(self, error: errors.StreamError) -> None:
        """End now; `run` raises the error."""
        self._failure = error
        self._inbox.wake()

    @property
    def engine_name(self) -> str:
        return self._voice.engine.engine if self._connection else ""

    @property
    def lag(self) -> float:
        """Speech is made when it is asked for, so it has none."""
        return 0.0

    @property
    def is_ending(self) -> bool:
        """It was stopped, or failed: nobody need wait for what it tells."""
        return self._is_stopped or self._failure is not None

    async def run(self) -> None:
        """Returns when everything was told, or after `stop`. Raises `StreamError`."""
        with registered(self), self._job_limit():
            self._voice = select_voice(await self._link.tts_engines(), **self._requested, controls=self._controls)
            self._slot_request.engine = self._voice.engine.engine
            self._normalizer = TextNormalizer(self._voice.voice.language)
            self._inbox.tick()
            try:
                while not self._is_over:
                    await self._proceed()
                    if not self._is_over:
                        await self._handle(await self._inbox.get())
            finally:
                self._inbox.stop()
                self._release_slot()

    # --- What comes in --------------------------------------------------------------------------------------------

    def _post(self, message: Down) -> None:
        """From the link."""
        try:
            self._inbox.put(message)
        except errors.TooFast:
            self.fail(errors.TooFast("The engine made more than it was asked for.", action="Try again."))

    async def _handle(self, message: Down | None) -> None:
        match message:
            case messages.Ready():
                await self._on_slot_granted()
            case messages.Word():
                self._words.set_time(message)
            case messages.Audio():
                await self._emit_audio(message.pcm)
            case Marker() if self._connection:
                self._is_over = True
                await self._emit(events.SynthesisDone(self._emitted_samples, self._emitted_words))
            case messages.Closed(is_rejection=True):
                raise errors.InvalidControl(why=message.reason)
            case messages.Closed():
                await self._on_slot_lost(message.reason)

    # --- What follows from it -------------------------------------------------------------------------------------

    async def _proceed(self) -> None:
        if self._failure:
            raise self._failure
        if self._is_stopped:
            self._is_over = True
            return
        await self._normalize()
        if self._connection is None:
            await self._poll_slot_request()
        else:
            self._pump(self._connection)

    async def _normalize(self) -> None:
        """Turn as much text into words as will be sent soon."""
        while self._unread_text and self._words.waiting < MAX_AHEAD:
            portion, self._unread_text = self._unread_text[:NORMALIZE_AT_ONCE], self._unread_text[NORMALIZE_AT_ONCE:]
            self._words.add(self._normalizer.feed(portion))
            await asyncio.sleep(0)
        if self._has_all_text:
            self._words.add(self._normalizer.finish())
        for unspoken in self._normalizer.skipped[self._skipped_reported :]:
            self._skipped_reported += 1
            await self._emit(events.Skipped(unspoken.text, unspoken.first))
        if self._has_all_text and self._words.is_empty and not self._emitted_samples:
            raise errors.InvalidText

    @property
    def _has_all_text(self) -> bool:
        return self._is_finished and not self._unread_text

    def _pump(self, connection: Connection) -> None:
        """Send what the engine should get now: words, and the marker after the last of them."""
        if words := self._words.send(MAX_AHEAD - self._words.ahead):
            self._send_text(connection, words)
        elif time.monotonic() - self._last_sent_at > KEEPALIVE_INTERVAL:
            self._send_text(connection, "")  # which keeps the slot while it waits for its holder
        if self._has_all_text and self._words.is_sent and not self._end_sent:
            connection.send(Marker(0))
            self._end_sent = True
        if self._words.is_timed and not self._is_finished and time.monotonic() - self._last_text_at > IDLE_TIMEOUT:
            raise errors.InvalidText(
                f"No text came for {IDLE_TIMEOUT:.0f} s.", "A place is for who speaks.", "Begin again with the text."
            )

    def _send_text(self, connection: Connection, text: str) -> None:
        connection.send(Text(text))
        self._last_sent_at = time.monotonic()

    async def _emit_audio(self, pcm: bytes) -> None:
        if not self._connection:
            return  # it came before the slot was let go of
        self._losses = 0
        for passage in self._words.started_before((self._emitted_samples + FRAME_SAMPLES) / SAMPLE_RATE):
            await self._emit_words(passage)
        if not self._emitted_samples and self._first_text_at:
            FIRST_AUDIO.observe(time.monotonic() - self._first_text_at)
            add_event("first audio")
        self._emitted_samples += len(pcm) // BYTES_PER_SAMPLE
        self._words.discard_before(self._emitted_samples / SAMPLE_RATE)
        await self._emit(events.Audio(pcm))

    async def _emit_words(self, passage: WordGroup) -> None:
        self._emitted_words += 1
        first, end = passage.span
        await self._emit(events.SpokenWord(self._text[first:end], first, passage.start, passage.end))

    # --- The slot -------------------------------------------------------------------------------------------------

    async def _poll_slot_request(self) -> None:
        if self._lost_at and time.monotonic() - self._lost_at > RECOVERY_TIMEOUT:
            raise errors.NoEngine("The speech engine was lost, and no other one was found.")
        try:
            news = await self._slot_request.poll(
                self._emitted_samples, voice=self._voice.voice.name, controls=self._controls
            )
        except (errors.NoEngine, errors.ProtocolError):
            if self._lost_at is None:
                raise
            return  # it may come back; the next tick looks again
        if news and self._lost_at is None:
            await self._emit(news)

    async def _on_slot_granted(self) -> None:
        if (connection := self._slot_request.claim()) is None:
            return
        self._connection, self._lost_at = connection, None
        engine, voice = self._voice
        await self._emit(events.SynthesisStarted(engine.engine, voice.name, voice.language))

    async def _on_slot_lost(self, reason: str) -> None:
        if self._connection is None:
            return
        self._connection = None
        self._losses += 1
        REPLAYS.labels("tts").inc()
        add_event("slot lost")
        if self._losses > MAX_LOSSES:
            raise errors.NoEngine("The speech engine was lost again and again.", f"The last time: {reason}.")
        self._lost_at = time.monotonic()
        self._words.rewind()
        self._end_sent = False
        message = f"The speech engine was lost: {reason}. It goes on where it was as soon as another one is found."
        await self._emit(events.Interrupted(self._emitted_words, message))

    def _release_slot(self) -> None:
        self._slot_request.stop()
        if self._connection:
            self._connection.close()
            self._connection = None

    # --- Whose it is ----------------------------------------------------------------------------------------------

    @contextmanager
    def _job_limit(self) -> Iterator[None]:
        """One of the jobs that a user may have at once."""
        owner = self.owner.pk
        if self._open_jobs[owner] >= settings.STREAMS_PER_USER:
            raise errors.TooManyStreams(why=f"{settings.STREAMS_PER_USER} at once are allowed.")
        self._open_jobs[owner] += 1
        try:
            yield
        finally:
            self._open_jobs[owner] -= 1
            if not self._open_jobs[owner]:
                del self._open_jobs[owner]
