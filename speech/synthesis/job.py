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
from inference.observability.tracing import note
from speech import errors, events
from speech.gateway.active_streams import running
from speech.gateway.connection import Connection
from speech.gateway.link import Link
from speech.gateway.slot_search import SlotSearch
from speech.live.inbox import Inbox
from speech.metrics import FIRST_AUDIO, REPLAYS
from speech.synthesis.text_normalization.normalizer import SpokenText
from speech.synthesis.voices import Speaker, choose
from speech.synthesis.word_tracker import Passage, Script

logger = logging.getLogger(__name__)

LONGEST_TEXT = 100_000
"""Characters of one job: some two hours of speech."""
AHEAD = 400
PORTION = 400
"""Characters that are turned into words at once; it takes some milliseconds of the event loop."""
INBOX_AT_MOST = 4_000
"""What `AHEAD` characters give, spoken slowly, is far less."""
SIGN_OF_LIFE_EVERY = 5.0
IDLE_AT_MOST = 60.0
"""Seconds for which a slot is held while no text comes."""
LOSSES_AT_MOST = 3
"""Engines lost one after another without a sound between."""
FOUND_WITHIN = 30.0
"""Seconds from the loss of an engine until there is another one."""


class Speaking:
    _now: ClassVar[Counter[int]] = Counter()
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
        self._tell = tell
        self._wishes = {"engine": engine, "voice": voice, "language": language}
        self._controls = dict(controls or {})
        self._link = Link.current()
        self._inbox: Inbox[Down] = Inbox(INBOX_AT_MOST)
        self._search = SlotSearch(self._link, self._hear, kind="tts", may_wait=wait)
        self._speaker: Speaker
        self._spoken_text: SpokenText
        self._text = ""  # said, and not turned into words
        self._said = ""
        self._is_finished = self._is_stopped = self._is_over = False
        self._failure: errors.StreamError | None = None
        self._script = Script()
        self._marked = False
        self._told = 0  # samples
        self._told_words = 0
        self._reported = 0  # of what cannot be spoken
        self._connection: Connection | None = None
        self._losses = 0
        self._lost_at: float | None = None
        self._first_text_at: float | None = None
        self._last_text_at = self._last_sign_at = time.monotonic()

    # --- What its holder calls ------------------------------------------------------------------------------------

    def say(self, text: str) -> None:
        """Text that follows what was said before. Raises `UnfitText` if it is too much, or comes after `finish`."""
        if self._is_finished:
            raise errors.UnfitText("Text came after the end.", "Nothing follows what was finished.", "Begin anew.")
        if len(self._said) + len(text) > LONGEST_TEXT:
            raise errors.UnfitText(
                "The text is too long.",
                f"At most {LONGEST_TEXT:,} characters are spoken in one go.",
                "Have it spoken in parts.",
            )
        self._said += text
        self._text += text
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
        self._let_go_of_slot()
        self._inbox.wake()

    def fail(self, error: errors.StreamError) -> None:
        """End now; `run` raises the error."""
        self._failure = error
        self._inbox.wake()

    @property
    def engine_name(self) -> str:
        return self._speaker.engine.engine if self._connection else ""

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
        with running(self), self._place_of_owner():
            self._speaker = choose(await self._link.speakers(), **self._wishes, controls=self._controls)
            self._search.engine = self._speaker.engine.engine
            self._spoken_text = SpokenText(self._speaker.voice.language)
            self._inbox.tick()
            try:
                while not self._is_over:
                    await self._proceed()
                    if not self._is_over:
                        await self._take(await self._inbox.get())
            finally:
                self._inbox.stop()
                self._let_go_of_slot()

    # --- What comes in --------------------------------------------------------------------------------------------

    def _hear(self, message: Down) -> None:
        """From the link."""
        try:
            self._inbox.post(message)
        except errors.TooFast:
            self.fail(errors.TooFast("The engine made more than it was asked for.", todo="Try again."))

    async def _take(self, message: Down | None) -> None:
        match message:
            case messages.Ready():
                await self._take_slot()
            case messages.Word():
                self._script.time(message)
            case messages.Audio():
                await self._tell_audio(message.pcm)
            case Marker() if self._connection:
                self._is_over = True
                await self._tell(events.Finished(self._told, self._told_words))
            case messages.Closed(is_refusal=True):
                raise errors.UnfitControl(why=message.reason)
            case messages.Closed():
                await self._lose_slot(message.reason)

    # --- What follows from it -------------------------------------------------------------------------------------

    async def _proceed(self) -> None:
        if self._failure:
            raise self._failure
        if self._is_stopped:
            self._is_over = True
            return
        await self._read()
        if self._connection is None:
            await self._look_for_slot()
        else:
            self._pump(self._connection)

    async def _read(self) -> None:
        """Turn as much text into words as will be sent soon."""
        while self._text and self._script.waiting < AHEAD:
            portion, self._text = self._text[:PORTION], self._text[PORTION:]
            self._script.add(self._spoken_text.feed(portion))
            await asyncio.sleep(0)
        if self._has_all_text:
            self._script.add(self._spoken_text.finish())
        for unspoken in self._spoken_text.unspoken[self._reported :]:
            self._reported += 1
            await self._tell(events.Unspoken(unspoken.text, unspoken.first))
        if self._has_all_text and self._script.is_empty and not self._told:
            raise errors.UnfitText

    @property
    def _has_all_text(self) -> bool:
        return self._is_finished and not self._text

    def _pump(self, connection: Connection) -> None:
        """Send what the engine should get now: words, and the marker after the last of them."""
        if words := self._script.send(AHEAD - self._script.ahead):
            self._tell_text(connection, words)
        elif time.monotonic() - self._last_sign_at > SIGN_OF_LIFE_EVERY:
            self._tell_text(connection, "")  # which keeps the slot while it waits for its holder
        if self._has_all_text and self._script.is_sent and not self._marked:
            connection.tell(Marker(0))
            self._marked = True
        if self._script.is_timed and not self._is_finished and time.monotonic() - self._last_text_at > IDLE_AT_MOST:
            raise errors.UnfitText(
                f"No text came for {IDLE_AT_MOST:.0f} s.", "A place is for who speaks.", "Begin again with the text."
            )

    def _tell_text(self, connection: Connection, text: str) -> None:
        connection.tell(Text(text))
        self._last_sign_at = time.monotonic()

    async def _tell_audio(self, pcm: bytes) -> None:
        if not self._connection:
            return  # it came before the slot was let go of
        self._losses = 0
        for passage in self._script.begun_before((self._told + FRAME_SAMPLES) / SAMPLE_RATE):
            await self._tell_passage(passage)
        if not self._told and self._first_text_at:
            FIRST_AUDIO.observe(time.monotonic() - self._first_text_at)
            note("first audio")
        self._told += len(pcm) // BYTES_PER_SAMPLE
        self._script.forget_before(self._told / SAMPLE_RATE)
        await self._tell(events.Audio(pcm))

    async def _tell_passage(self, passage: Passage) -> None:
        self._told_words += 1
        first, end = passage.place
        await self._tell(events.Spoken(self._said[first:end], first, passage.start, passage.end))

    # --- The slot -------------------------------------------------------------------------------------------------

    async def _look_for_slot(self) -> None:
        if self._lost_at and time.monotonic() - self._lost_at > FOUND_WITHIN:
            raise errors.NoEngine("The speech engine was lost, and no other one was found.")
        try:
            news = await self._search.look(self._told, voice=self._speaker.voice.name, controls=self._controls)
        except (errors.NoEngine, errors.ProtocolError):
            if self._lost_at is None:
                raise
            return  # it may come back; the next tick looks again
        if news and self._lost_at is None:
            await self._tell(news)

    async def _take_slot(self) -> None:
        if (connection := self._search.take()) is None:
            return
        self._connection, self._lost_at = connection, None
        engine, voice = self._speaker
        await self._tell(events.Begun(engine.engine, voice.name, voice.language))

    async def _lose_slot(self, reason: str) -> None:
        if self._connection is None:
            return
        self._connection = None
        self._losses += 1
        REPLAYS.labels("tts").inc()
        note("slot lost")
        if self._losses > LOSSES_AT_MOST:
            raise errors.NoEngine("The speech engine was lost again and again.", f"The last time: {reason}.")
        self._lost_at = time.monotonic()
        self._script.rewind()
        self._marked = False
        message = f"The speech engine was lost: {reason}. It goes on where it was as soon as another one is found."
        await self._tell(events.Interrupted(self._told_words, message))

    def _let_go_of_slot(self) -> None:
        self._search.stop()
        if self._connection:
            self._connection.close()
            self._connection = None

    # --- Whose it is ----------------------------------------------------------------------------------------------

    @contextmanager
    def _place_of_owner(self) -> Iterator[None]:
        """One of the jobs that a user may have at once."""
        owner = self.owner.pk
        if self._now[owner] >= settings.STREAMS_PER_USER:
            raise errors.TooManyStreams(why=f"{settings.STREAMS_PER_USER} at once are allowed.")
        self._now[owner] += 1
        try:
            yield
        finally:
            self._now[owner] -= 1
            if not self._now[owner]:
                del self._now[owner]
