"""A live speech synthesis job: text goes in as it arrives, audio and word times come out.

    job = SynthesisJob(user, emit, voice="slt")
    task = asyncio.create_task(job.run())
    job.add_text("Some text, ")    # whitespace separates words, also between two calls
    job.add_text("and more. ")
    job.finish()              # end of input: `run` returns after `events.SynthesisDone`
    job.stop()                # barge-in: the slot is released immediately, and `run` returns

`emit` is awaited for each event (`events.SynthesisStarted`, `Audio`, `SpokenWord`, `Skipped`, `Interrupted`,
`SynthesisDone`, and `Queued` with `wait=True`). A slow client slows the engine down: at most `MAX_AHEAD` characters are
sent beyond those whose audio was emitted. When the engine is lost the job requests another slot and continues with the
first word whose audio was not emitted completely.
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
from speech.gateway.slot_request import SlotRequest
from speech.live.inbox import Inbox
from speech.metrics import FIRST_AUDIO, REPLAYS
from speech.synthesis.text_normalization.normalizer import TextNormalizer
from speech.synthesis.voices import SelectedVoice, select_voice
from speech.synthesis.word_tracker import WordGroup, WordTracker

logger = logging.getLogger(__name__)

MAX_TEXT = 100_000
"""Characters of one job: some two hours of speech."""
MAX_AHEAD = 400
"""Characters sent to the engine whose audio is not emitted yet."""
NORMALIZATION_CHUNK = 400
"""Characters normalized at once; this blocks the event loop for some milliseconds."""
MAX_INBOX = 4_000
"""Messages from the engine; `MAX_AHEAD` characters give far fewer, even spoken slowly."""
KEEPALIVE_INTERVAL = 5.0
"""Seconds without text after which an empty one keeps the slot."""
IDLE_TIMEOUT = 60.0
"""Seconds without text after which the job fails and releases its slot."""
MAX_LOSSES = 3
"""Engines lost in a row without any audio in between."""
RECOVERY_TIMEOUT = 30.0
"""Seconds from the loss of an engine until the job fails if no other is found."""


class SynthesisJob:
    _open_jobs: ClassVar[Counter[int]] = Counter()
    """Number of jobs by user in this process."""

    def __init__(
        self,
        owner: User,
        emit: Callable[[events.Event], Awaitable[None]],
        *,
        engine: str = "",
        voice: str = "",
        language: str = "",
        controls: Mapping[str, float] | None = None,
        wait: bool = False,
    ) -> None:
        """The server chooses what is empty. `wait`: queue for a slot instead of failing at capacity."""
        self.id, self.owner, self.kind, self.began = uuid4(), owner, "tts", 0.0
        self._emit = emit
        self._requested = {"engine": engine, "voice": voice, "language": language}
        self._controls = dict(controls or {})
        self._link = Link.current()
        self._inbox: Inbox[Down] = Inbox(MAX_INBOX)
        self._slot_request = SlotRequest(self._link, self._post, kind="tts", may_wait=wait)
        self._voice: SelectedVoice
        self._normalizer: TextNormalizer
        self._pending_text = ""  # not normalized yet
        self._text = ""
        self._is_input_complete = self._is_stopped = self._is_over = False
        self._failure: errors.StreamError | None = None
        self._words = WordTracker()
        self._end_sent = False
        self._emitted_samples = 0
        self._emitted_words = 0
        self._emitted_skipped = 0  # entries of `_normalizer.skipped`
        self._connection: Connection | None = None
        self._losses = 0
        self._lost_at: float | None = None
        self._first_text_at: float | None = None
        self._last_text_at = self._last_sent_at = time.monotonic()

    def add_text(self, text: str) -> None:
        """Append text. Raises `InvalidText` if the total is too long or `finish` was called before."""
        if self._is_input_complete:
            raise errors.InvalidText(
                "Text was sent after the end of input.",
                "No input is accepted after “finish”.",
                "Start a new request.",
            )
        if len(self._text) + len(text) > MAX_TEXT:
            raise errors.InvalidText(
                "The text is too long.",
                f"The limit is {MAX_TEXT:,} characters.",
                "Split the text.",
            )
        self._text += text
        self._pending_text += text
        self._last_text_at = time.monotonic()
        self._first_text_at = self._first_text_at or self._last_text_at
        self._inbox.wake()

    def finish(self) -> None:
        """Mark the end of input."""
        self._is_input_complete = True
        self._inbox.wake()

    def stop(self) -> None:
        """Stop because nothing is played any more; `run` returns."""
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
        """Always 0: synthesis has no input in real time."""
        return 0.0

    @property
    def is_ending(self) -> bool:
        """True once the job was stopped or failed; its events no longer matter."""
        return self._is_stopped or self._failure is not None

    async def run(self) -> None:
        """Returns when everything was emitted, or after `stop`. Raises `StreamError`."""
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

    def _post(self, message: Down) -> None:
        """Receive a message from the link."""
        try:
            self._inbox.put(message)
        except errors.TooFast:
            self.fail(errors.TooFast("The engine returned more audio than expected.", action="Try again."))

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
        """Normalize as much text as will be sent soon."""
        while self._pending_text and self._words.waiting < MAX_AHEAD:
            chunk = self._pending_text[:NORMALIZATION_CHUNK]
            self._pending_text = self._pending_text[NORMALIZATION_CHUNK:]
            self._words.add(self._normalizer.feed(chunk))
            await asyncio.sleep(0)
        if self._has_all_text:
            self._words.add(self._normalizer.finish())
        for skipped in self._normalizer.skipped[self._emitted_skipped :]:
            self._emitted_skipped += 1
            await self._emit(events.Skipped(skipped.text, skipped.first))
        if self._has_all_text and self._words.is_empty and not self._emitted_samples:
            raise errors.InvalidText

    @property
    def _has_all_text(self) -> bool:
        return self._is_input_complete and not self._pending_text

    def _pump(self, connection: Connection) -> None:
        """Send the words that the engine should get now, and the marker after the last one."""
        if words := self._words.pop_text(MAX_AHEAD - self._words.ahead):
            self._send_text(connection, words)
        elif time.monotonic() - self._last_sent_at > KEEPALIVE_INTERVAL:
            self._send_text(connection, "")  # keeps the slot while the client sends nothing
        if self._has_all_text and self._words.is_sent and not self._end_sent:
            connection.send(Marker(0))
            self._end_sent = True
        is_idle = time.monotonic() - self._last_text_at > IDLE_TIMEOUT
        if is_idle and self._words.is_timed and not self._is_input_complete:
            raise errors.InvalidText(
                f"No text received for {IDLE_TIMEOUT:.0f} s.",
                "Idle streams are closed to free their slot.",
                "Start again and send text.",
            )

    def _send_text(self, connection: Connection, text: str) -> None:
        connection.send(Text(text))
        self._last_sent_at = time.monotonic()

    async def _emit_audio(self, pcm: bytes) -> None:
        if not self._connection:
            return  # late audio of a released slot
        self._losses = 0
        for group in self._words.pop_started((self._emitted_samples + FRAME_SAMPLES) / SAMPLE_RATE):
            await self._emit_word(group)
        if not self._emitted_samples and self._first_text_at:
            FIRST_AUDIO.observe(time.monotonic() - self._first_text_at)
            add_event("first audio")
        self._emitted_samples += len(pcm) // BYTES_PER_SAMPLE
        self._words.discard_before(self._emitted_samples / SAMPLE_RATE)
        await self._emit(events.Audio(pcm))

    async def _emit_word(self, group: WordGroup) -> None:
        self._emitted_words += 1
        first, end = group.span
        await self._emit(events.SpokenWord(self._text[first:end], first, group.start, group.end))

    async def _poll_slot_request(self) -> None:
        if self._lost_at and time.monotonic() - self._lost_at > RECOVERY_TIMEOUT:
            raise errors.NoEngine("The speech engine was lost and no other was available.")
        try:
            event = await self._slot_request.poll(
                self._emitted_samples, voice=self._voice.voice.name, controls=self._controls
            )
        except (errors.NoEngine, errors.ProtocolError):
            if self._lost_at is None:
                raise
            return  # an engine may become available; the next timer event polls again
        if event and self._lost_at is None:
            await self._emit(event)

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
            raise errors.NoEngine("The speech engine was lost repeatedly.", f"Last error: {reason}.")
        self._lost_at = time.monotonic()
        self._words.rewind()
        self._end_sent = False
        message = f"The speech engine was lost: {reason}. It continues where it stopped when another one is found."
        await self._emit(events.Interrupted(self._emitted_words, message))

    def _release_slot(self) -> None:
        self._slot_request.close()
        if self._connection:
            self._connection.close()
            self._connection = None

    @contextmanager
    def _job_limit(self) -> Iterator[None]:
        """Count the job; raises `TooManyStreams` at the limit of its user."""
        owner = self.owner.pk
        if self._open_jobs[owner] >= settings.STREAMS_PER_USER:
            raise errors.TooManyStreams(why=f"The limit is {settings.STREAMS_PER_USER} at once.")
        self._open_jobs[owner] += 1
        try:
            yield
        finally:
            self._open_jobs[owner] -= 1
            if not self._open_jobs[owner]:
                del self._open_jobs[owner]
