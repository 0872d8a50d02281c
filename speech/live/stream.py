"""One live stream of a session: finds a slot, feeds the audio, stores the words, and does it again if the slot is lost.

Whoever holds a stream calls `feed`, `wish` and `abandon`, none of which waits, while `run` runs and tells what happens.
Audio is held until its words are stored; when a slot is lost, of whatever cause, another one is asked for and the
audio is sent again from there. So no word is missed, and none comes twice.
"""

import asyncio
import logging
import time
import uuid
from collections.abc import Awaitable, Callable
from enum import Enum
from functools import partial
from typing import Any

from accounts.models import User
from inference import messages
from inference.messages import SAMPLE_RATE, Down, Endpointing
from inference.observability.tracing import note
from speech import errors, events
from speech.gateway.active_streams import running
from speech.gateway.broadcast import about_session
from speech.gateway.drain import LEAVING
from speech.gateway.link import Link
from speech.gateway.log_context import about
from speech.gateway.slot_search import SlotSearch
from speech.library.recording import Recorder, pack_soon
from speech.live.feed import MARK, Feed
from speech.live.inbox import Inbox
from speech.live.session_lease import claim
from speech.live.transcript import Stored, Transcript
from speech.live.unsaved_session import Passing
from speech.metrics import ACKS, REPLAYS, WORDS
from speech.models import Counts, Session

logger = logging.getLogger(__name__)

HELD_AT_MOST = 120 * SAMPLE_RATE
INBOX_AT_MOST = 2_000
"""An engine, which is fed a few seconds ahead, never fills it; a client that floods may."""
COME_BACK_WITHIN = 5.0
"""Seconds for which a speaker who lost the socket in mid-sentence is waited for before the sentence is ended."""


class Wish(Enum):
    RUN = "run"
    PAUSE = "pause"
    STOP = "stop"


class Stream:
    def __init__(
        self,
        owner: User,
        tell: Callable[[events.Event], Awaitable[None]],
        *,
        engine: str = "",
        language: str = "",
        wait: bool = False,
        session: uuid.UUID | None = None,
        keeps_audio: bool = False,
        keep: bool = True,
        endpointing: Endpointing | None = None,
    ) -> None:
        """`keep`: whether there is a session of it. `keeps_audio`: whether a new one is recorded; an old one is if it
        was. `endpointing`: for engines that let it be chosen; None is the engine's own."""
        self.id, self.owner, self.kind, self.began = uuid.uuid4(), owner, "stt", 0.0
        self._tell = tell
        self._resumes = session
        self._keeps_audio = keeps_audio
        self._endpointing = endpointing
        self._recorder: Recorder | None = None
        self._keeps = keep
        self._link = Link.current()
        self._inbox: Inbox[Down | Wish | Stored] = Inbox(INBOX_AT_MOST)
        self._search = SlotSearch(self._link, self._hear, kind="stt", engine=engine, language=language, may_wait=wait)
        self._wish = Wish.RUN
        self._wish_is_met = self._told_ready = self._told_unstored = False
        self._has_begun = self._in_sentence = False
        self._feed = Feed(0)
        self._dropped = self._engines_lost = 0  # since the session began
        self._abandoned_at: float | None = None
        self._ends_alone = self._ended_alone = self._is_leaving = False
        self._failure: errors.StreamError | None = None
        self._is_over = False
        self.accepts_audio = False

    # --- What its holder calls ------------------------------------------------------------------------------------

    def feed(self, pcm: bytes) -> None:
        """Audio that follows what was fed before: s16le, mono, 24 kHz, whole samples. Once it ends alone no more of it
        is taken, and the speaker, who is not told that it was, sends it again.

        Raises `TooFast`, or `Unavailable` if it is not the speaker's fault that so much is held.
        """
        if self._ends_alone:
            return
        if self.held > HELD_AT_MOST:
            raise errors.Unavailable if self._transcript.is_failing else errors.TooFast
        self._feed.append(pcm)
        self._pump()

    def wish(self, wish: Wish, dropped: int = 0) -> None:
        """`dropped`: samples that the speaker's side had to throw away so far. Raises `TooFast` if wishes come faster
        than they are met."""
        if wish is not Wish.RUN:
            self.accepts_audio = False
        self._dropped = max(self._dropped, dropped)
        self._inbox.post(wish)

    @property
    def engine_name(self) -> str:
        return self._search.engine if self._feed.has_slot else ""

    @property
    def lag(self) -> float:
        """Seconds of audio that was fed and not heard."""
        return max(0, self._feed.end - self._feed.heard) / SAMPLE_RATE

    @property
    def held(self) -> int:
        """Samples that were fed and cannot be forgotten yet."""
        return self._feed.end - self._feed.start

    def mark(self, id: int) -> None:
        """Ask for what was fed so far to be brought to its end; `Marked` follows when it was. More may be fed after it.
        Raises `TooFast`."""
        self._feed.mark(id)
        self._pump()

    def fail(self, error: errors.StreamError) -> None:
        """End now; `run` raises the error."""
        self._failure = error
        self._inbox.wake()

    def abandon(self) -> None:
        """Nobody listens any more; the speaker may come back with the session's id."""
        self._abandoned_at = time.monotonic()
        self._inbox.wake()

    async def run(self) -> None:
        """Returns when the stream was stopped or abandoned and everything is stored. Raises `StreamError`."""
        with running(self), self._link.listening(LEAVING, self._leave):
            await self._run()

    async def _run(self) -> None:
        self._session: Session | Passing = Passing()
        if self._keeps:
            self._session, self._recorder = await claim(self.owner, self._resumes, self._keeps_audio)
        self._dropped, self._engines_lost = self._session.dropped, self._session.engines_lost
        if self._session.samples:
            self._feed = Feed(self._session.samples)
        self._transcript = Transcript(self._session, self._hear, self.fail, self._record)
        self._inbox.tick()
        try:
            with (
                about(stream=self._session.pk),
                self._link.listening(about_session(self._session.pk), self._hear_of_session),
            ):
                while not self._is_over:
                    await self._proceed()
                    await self._take(await self._inbox.get())
                    if self._failure:
                        raise self._failure
        finally:
            self._inbox.stop()
            self._let_go_of_slot()
            await asyncio.shield(self._transcript.end(self._feed.end, self._counts()))
            if self._recorder and not isinstance(self._failure, errors.TakenOver):
                pack_soon(self._session.pk)

    # --- What comes in --------------------------------------------------------------------------------------------

    def _hear(self, message: Down | Stored) -> None:
        """From the link and the transcript, which are not to blame if this stream does not keep up."""
        try:
            self._inbox.post(message)
        except errors.TooFast as error:
            self.fail(error)

    async def _take(self, message: Down | Wish | Stored | None) -> None:
        match message:
            case messages.Step():
                self._feed.note_heard(message.sample)
                if message.settled <= self._feed.end:  # else it is in the silence that fills up the last frame
                    self._transcript.settle(message.settled)
                await self._tell(events.Step(min(message.sample, self._feed.end), message.speech, message.pauses))
            case messages.Partial():
                self._in_sentence = bool(message.text)
                await self._tell(events.Partial(message.text, message.start, message.end))
            case messages.Word():
                WORDS.inc()
                await self._tell(self._transcript.word(message))
            case messages.EndPoint():
                self._in_sentence = False
                note("end of an utterance", end=message.end)
                await self._tell(self._transcript.end_point(message))
            case messages.Ready():
                await self._take_slot()
            case messages.Marker() if message.id == MARK:
                sample, id = self._feed.marks.meet()
                self._transcript.settle(sample)
                await self._tell(events.Marked(id))
            case messages.Marker():
                if self._ends_alone:
                    self._transcript.settle_for_now()
                    self._ended_alone = True
                else:
                    self._transcript.settle(self._feed.end)
                self._let_go_of_slot()
            case messages.Closed():
                await self._lose_slot(message.reason)
            case Stored():
                await self._tell_stored(message)
            case Wish():
                await self._take_wish(message)
            case None:
                self._look_around()

    # --- What follows from it -------------------------------------------------------------------------------------

    async def _proceed(self) -> None:
        """Do what there is to do, whatever it was that changed."""
        self._transcript.store_if_due(self._counts(), at_once=self._is_heard_out)
        if self._is_heard_out:
            if self._transcript.is_stored and not self._wish_is_met:
                await self._meet_wish()
        elif not self._feed.has_slot:
            await self._look_for_slot()
        else:
            self._pump()

    @property
    def _is_heard_out(self) -> bool:
        """Nothing more will come for now, and what came has been heard to its end."""
        if self._wish is Wish.RUN:
            return False
        return self._ended_alone or (self._transcript.settled == self._feed.end and self._feed.marks.are_met)

    async def _take_wish(self, wish: Wish) -> None:
        self._wish, self._wish_is_met = wish, False
        if wish is not Wish.RUN:
            self._told_ready = False
        elif self._feed.has_slot and not self._feed.is_ended:
            await self._tell_ready()

    async def _meet_wish(self) -> None:
        self._wish_is_met = True
        self._let_go_of_slot()
        if self._is_leaving:
            raise errors.Restarting
        if self._wish is Wish.PAUSE:
            await self._tell(events.Paused())
        else:
            self._is_over = True
            await self._tell(events.Done(str(self._session.pk), self._transcript.words))

    def _pump(self) -> None:
        self._feed.pump(is_all=self._wish is not Wish.RUN)

    async def _tell_stored(self, stored: Stored) -> None:
        if stored.sample is None:
            if not self._told_unstored:
                self._told_unstored = True
                await self._tell(events.Unstored("The database does not answer. What you say is kept until it does."))
        elif stored.sample > self._feed.start or self._told_unstored:
            self._told_unstored = False
            self._feed.forget_before(stored.sample)
            ACKS.inc()
            await self._tell(events.Ack(stored.sample))

    def _record(self, sample: int) -> Callable[[], None]:
        """What writes the audio before `sample`, as far as it was not written before, into the recording."""
        if self._recorder is None:
            return lambda: None
        first = max(self._recorder.end, self._feed.start)
        return partial(self._recorder.append, first, self._feed.between(first, sample))

    def _counts(self) -> Counts:
        return Counts(self._feed.end, self._dropped, self._engines_lost)

    # --- The slot -------------------------------------------------------------------------------------------------

    async def _look_for_slot(self) -> None:
        try:
            news = await self._search.look(self._transcript.settled, endpointing=self._endpointing)
        except errors.NoEngine:
            if not self._search.may_wait:
                raise
            return  # it may come back; the next tick looks again
        if news and not self._told_ready:
            await self._tell(news)

    async def _take_slot(self) -> None:
        if (connection := self._search.take()) is None:
            return
        self._feed.begin(connection, self._transcript.settled)
        logger.info("%s hears it, in slot %s", self._search.engine, connection.id)
        if not self._has_begun:
            self._has_begun = True
            await self._transcript.begin(self._search.engine, self._search.language)
        if self._wish is Wish.RUN and not self._told_ready:
            await self._tell_ready()

    async def _tell_ready(self) -> None:
        self._told_ready = self.accepts_audio = True
        position, words, audio = self._feed.end, self._transcript.words, self._recorder is not None
        session = str(self._session.pk)
        await self._tell(events.Ready(session, position, words, self._search.engine, self._search.language, audio))

    async def _lose_slot(self, reason: str) -> None:
        if not self._feed.has_slot:
            return
        self._feed.lose_slot()
        self._engines_lost += 1
        REPLAYS.labels("stt").inc()
        note("slot lost")
        self._transcript.forget_unsettled()
        if self._told_ready:
            message = f"The speech engine was lost: {reason}. What you say is kept until another one is found."
            await self._tell(events.Interrupted(self._transcript.words, message))

    def _let_go_of_slot(self) -> None:
        self._search.stop()
        self._feed.let_go_of_slot()

    # --- Who else wants it, and who does not any more -------------------------------------------------------------

    def _hear_of_session(self, notice: dict[str, Any]) -> None:
        if notice["claim"] > self._session.claim:
            self.fail(errors.TakenOver())

    def _look_around(self) -> None:
        if self._abandoned_at is None or self._wish is Wish.STOP:
            return
        if not self._told_ready:
            self._is_over = True
        elif not self._in_sentence or time.monotonic() - self._abandoned_at > COME_BACK_WITHIN:
            self._end_alone()

    def _end_alone(self) -> None:
        """Its speaker did not end it, and may come back with what was not heard."""
        self._wish, self._wish_is_met = Wish.STOP, False
        self._ends_alone = True

    def _leave(self, _: dict[str, Any]) -> None:
        """This process ends: what was said is brought to its end and stored, and the speaker goes on elsewhere."""
        if not (self._keeps and self._feed.has_slot):
            self.fail(errors.Restarting())
        elif self._wish is not Wish.STOP:
            self._is_leaving = True
            self._end_alone()
            self._inbox.wake()
