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
from inference.observability.tracing import add_event
from speech import errors, events
from speech.gateway.active_streams import registered
from speech.gateway.broadcast import session_topic
from speech.gateway.drain import DRAIN_TOPIC
from speech.gateway.link import Link
from speech.gateway.log_context import log_context
from speech.gateway.slot_search import SlotSearch
from speech.library.recording import Recorder, compress_soon
from speech.live.feed import FLUSH, Feed
from speech.live.inbox import Inbox
from speech.live.session_lease import acquire_session
from speech.live.transcript import Stored, Transcript
from speech.live.unsaved_session import UnsavedSession
from speech.metrics import ACKS, REPLAYS, WORDS
from speech.models import Counts, Session

logger = logging.getLogger(__name__)

MAX_BUFFERED = 120 * SAMPLE_RATE
MAX_INBOX = 2_000
"""An engine, which is fed a few seconds ahead, never fills it; a client that floods may."""
RECONNECT_TIMEOUT = 5.0
"""Seconds for which a speaker who lost the socket in mid-sentence is waited for before the sentence is ended."""


class Intent(Enum):
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
        saves_audio: bool = False,
        keep: bool = True,
        endpointing: Endpointing | None = None,
    ) -> None:
        """`keep`: whether there is a session of it. `saves_audio`: whether a new one is recorded; an old one is if it
        was. `endpointing`: for engines that let it be chosen; None is the engine's own."""
        self.id, self.owner, self.kind, self.began = uuid.uuid4(), owner, "stt", 0.0
        self._emit = tell
        self._resumed_session = session
        self._saves_audio = saves_audio
        self._endpointing = endpointing
        self._recorder: Recorder | None = None
        self._is_saved = keep
        self._link = Link.current()
        self._inbox: Inbox[Down | Intent | Stored] = Inbox(MAX_INBOX)
        self._slot_request = SlotSearch(
            self._link, self._post, kind="stt", engine=engine, language=language, may_wait=wait
        )
        self._intent = Intent.RUN
        self._intent_is_met = self._ready_sent = self._unstored_sent = False
        self._has_begun = self._in_segment = False
        self._feed = Feed(0)
        self._dropped = self._engines_lost = 0  # since the session began
        self._detached_at: float | None = None
        self._finishes_detached = self._finished_detached = self._is_draining = False
        self._failure: errors.StreamError | None = None
        self._is_over = False
        self.accepts_audio = False

    # --- What its holder calls ------------------------------------------------------------------------------------

    def feed(self, pcm: bytes) -> None:
        """Audio that follows what was fed before: s16le, mono, 24 kHz, whole samples. Once it ends alone no more of it
        is taken, and the speaker, who is not told that it was, sends it again.

        Raises `TooFast`, or `Unavailable` if it is not the speaker's fault that so much is held.
        """
        if self._finishes_detached:
            return
        if self.buffered > MAX_BUFFERED:
            raise errors.Unavailable if self._transcript.is_failing else errors.TooFast
        self._feed.append(pcm)
        self._pump()

    def set_intent(self, wish: Intent, dropped: int = 0) -> None:
        """`dropped`: samples that the speaker's side had to throw away so far. Raises `TooFast` if wishes come faster
        than they are met."""
        if wish is not Intent.RUN:
            self.accepts_audio = False
        self._dropped = max(self._dropped, dropped)
        self._inbox.put(wish)

    @property
    def engine_name(self) -> str:
        return self._slot_request.engine if self._feed.has_slot else ""

    @property
    def lag(self) -> float:
        """Seconds of audio that was fed and not heard."""
        return max(0, self._feed.end - self._feed.processed) / SAMPLE_RATE

    @property
    def buffered(self) -> int:
        """Samples that were fed and cannot be forgotten yet."""
        return self._feed.end - self._feed.start

    def flush(self, id: int) -> None:
        """Ask for what was fed so far to be brought to its end; `Marked` follows when it was. More may be fed after it.
        Raises `TooFast`."""
        self._feed.flush(id)
        self._pump()

    def fail(self, error: errors.StreamError) -> None:
        """End now; `run` raises the error."""
        self._failure = error
        self._inbox.wake()

    def detach(self) -> None:
        """Nobody listens any more; the speaker may come back with the session's id."""
        self._detached_at = time.monotonic()
        self._inbox.wake()

    async def run(self) -> None:
        """Returns when the stream was stopped or abandoned and everything is stored. Raises `StreamError`."""
        with registered(self), self._link.subscribed(DRAIN_TOPIC, self._drain):
            await self._run()

    async def _run(self) -> None:
        self._session: Session | UnsavedSession = UnsavedSession()
        if self._is_saved:
            self._session, self._recorder = await acquire_session(self.owner, self._resumed_session, self._saves_audio)
        self._dropped, self._engines_lost = self._session.dropped, self._session.engines_lost
        if self._session.samples:
            self._feed = Feed(self._session.samples)
        self._transcript = Transcript(self._session, self._post, self.fail, self._record)
        self._inbox.tick()
        try:
            with (
                log_context(stream=self._session.pk),
                self._link.subscribed(session_topic(self._session.pk), self._on_session_acquired),
            ):
                while not self._is_over:
                    await self._proceed()
                    await self._handle(await self._inbox.get())
                    if self._failure:
                        raise self._failure
        finally:
            self._inbox.stop()
            self._release_slot()
            await asyncio.shield(self._transcript.end(self._feed.end, self._counts()))
            if self._recorder and not isinstance(self._failure, errors.TakenOver):
                compress_soon(self._session.pk)

    # --- What comes in --------------------------------------------------------------------------------------------

    def _post(self, message: Down | Stored) -> None:
        """From the link and the transcript, which are not to blame if this stream does not keep up."""
        try:
            self._inbox.put(message)
        except errors.TooFast as error:
            self.fail(error)

    async def _handle(self, message: Down | Intent | Stored | None) -> None:
        match message:
            case messages.Step():
                self._feed.set_processed(message.sample)
                if message.final_until <= self._feed.end:  # else it is in the silence that fills up the last frame
                    self._transcript.advance_final_until(message.final_until)
                await self._emit(events.Step(min(message.sample, self._feed.end), message.speech, message.pauses))
            case messages.Partial():
                self._in_segment = bool(message.text)
                await self._emit(events.Partial(message.text, message.start, message.end))
            case messages.Word():
                WORDS.inc()
                await self._emit(self._transcript.add_word(message))
            case messages.Endpoint():
                self._in_segment = False
                add_event("end of an utterance", end=message.end)
                await self._emit(self._transcript.add_endpoint(message))
            case messages.Ready():
                await self._on_slot_granted()
            case messages.Marker() if message.id == FLUSH:
                sample, id = self._feed.flushes.meet()
                self._transcript.advance_final_until(sample)
                await self._emit(events.Flushed(id))
            case messages.Marker():
                if self._finishes_detached:
                    self._transcript.finalize_pending()
                    self._finished_detached = True
                else:
                    self._transcript.advance_final_until(self._feed.end)
                self._release_slot()
            case messages.Closed():
                await self._on_slot_lost(message.reason)
            case Stored():
                await self._on_stored(message)
            case Intent():
                await self._on_intent(message)
            case None:
                self._on_tick()

    # --- What follows from it -------------------------------------------------------------------------------------

    async def _proceed(self) -> None:
        """Do what there is to do, whatever it was that changed."""
        self._transcript.store_if_due(self._counts(), at_once=self._is_drained)
        if self._is_drained:
            if self._transcript.is_stored and not self._intent_is_met:
                await self._fulfill_intent()
        elif not self._feed.has_slot:
            await self._poll_slot_request()
        else:
            self._pump()

    @property
    def _is_drained(self) -> bool:
        """Nothing more will come for now, and what came has been heard to its end."""
        if self._intent is Intent.RUN:
            return False
        return self._finished_detached or (
            self._transcript.final_until == self._feed.end and self._feed.flushes.are_met
        )

    async def _on_intent(self, wish: Intent) -> None:
        self._intent, self._intent_is_met = wish, False
        if wish is not Intent.RUN:
            self._ready_sent = False
        elif self._feed.has_slot and not self._feed.is_ended:
            await self._emit_ready()

    async def _fulfill_intent(self) -> None:
        self._intent_is_met = True
        self._release_slot()
        if self._is_draining:
            raise errors.Restarting
        if self._intent is Intent.PAUSE:
            await self._emit(events.Paused())
        else:
            self._is_over = True
            await self._emit(events.Done(str(self._session.pk), self._transcript.words))

    def _pump(self) -> None:
        self._feed.pump(is_all=self._intent is not Intent.RUN)

    async def _on_stored(self, stored: Stored) -> None:
        if stored.sample is None:
            if not self._unstored_sent:
                self._unstored_sent = True
                await self._emit(events.Unstored("The database does not answer. What you say is kept until it does."))
        elif stored.sample > self._feed.start or self._unstored_sent:
            self._unstored_sent = False
            self._feed.discard_before(stored.sample)
            ACKS.inc()
            await self._emit(events.Ack(stored.sample))

    def _record(self, sample: int) -> Callable[[], None]:
        """What writes the audio before `sample`, as far as it was not written before, into the recording."""
        if self._recorder is None:
            return lambda: None
        first = max(self._recorder.end, self._feed.start)
        return partial(self._recorder.append, first, self._feed.read(first, sample))

    def _counts(self) -> Counts:
        return Counts(self._feed.end, self._dropped, self._engines_lost)

    # --- The slot -------------------------------------------------------------------------------------------------

    async def _poll_slot_request(self) -> None:
        try:
            news = await self._slot_request.poll(self._transcript.final_until, endpointing=self._endpointing)
        except errors.NoEngine:
            if not self._slot_request.may_wait:
                raise
            return  # it may come back; the next tick looks again
        if news and not self._ready_sent:
            await self._emit(news)

    async def _on_slot_granted(self) -> None:
        if (connection := self._slot_request.claim()) is None:
            return
        self._feed.begin(connection, self._transcript.final_until)
        logger.info("%s hears it, in slot %s", self._slot_request.engine, connection.id)
        if not self._has_begun:
            self._has_begun = True
            await self._transcript.begin(self._slot_request.engine, self._slot_request.language)
        if self._intent is Intent.RUN and not self._ready_sent:
            await self._emit_ready()

    async def _emit_ready(self) -> None:
        self._ready_sent = self.accepts_audio = True
        position, words, audio = self._feed.end, self._transcript.words, self._recorder is not None
        session = str(self._session.pk)
        await self._emit(
            events.Ready(session, position, words, self._slot_request.engine, self._slot_request.language, audio)
        )

    async def _on_slot_lost(self, reason: str) -> None:
        if not self._feed.has_slot:
            return
        self._feed.lose_slot()
        self._engines_lost += 1
        REPLAYS.labels("stt").inc()
        add_event("slot lost")
        self._transcript.discard_pending()
        if self._ready_sent:
            message = f"The speech engine was lost: {reason}. What you say is kept until another one is found."
            await self._emit(events.Interrupted(self._transcript.words, message))

    def _release_slot(self) -> None:
        self._slot_request.stop()
        self._feed.release_slot()

    # --- Who else wants it, and who does not any more -------------------------------------------------------------

    def _on_session_acquired(self, notice: dict[str, Any]) -> None:
        if notice["epoch"] > self._session.epoch:
            self.fail(errors.TakenOver())

    def _on_tick(self) -> None:
        if self._detached_at is None or self._intent is Intent.STOP:
            return
        if not self._ready_sent:
            self._is_over = True
        elif not self._in_segment or time.monotonic() - self._detached_at > RECONNECT_TIMEOUT:
            self._finish_detached()

    def _finish_detached(self) -> None:
        """Its speaker did not end it, and may come back with what was not heard."""
        self._intent, self._intent_is_met = Intent.STOP, False
        self._finishes_detached = True

    def _drain(self, _: dict[str, Any]) -> None:
        """This process ends: what was said is brought to its end and stored, and the speaker goes on elsewhere."""
        if not (self._is_saved and self._feed.has_slot):
            self.fail(errors.Restarting())
        elif self._intent is not Intent.STOP:
            self._is_draining = True
            self._finish_detached()
            self._inbox.wake()
