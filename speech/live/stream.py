"""One live stream of a session: gets a slot, sends the audio, stores the words, and starts over if the slot is lost.

The owner of a stream calls `feed`, `flush`, `set_intent` and `detach`, none of which waits, while `run` runs and emits
events. Audio is held until its words are stored. When a slot is lost, for any reason, another one is requested and the
audio is sent again from there. So no word is missed, and none comes twice.
"""

import asyncio
import logging
import time
import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from accounts.models import User
from inference import messages
from inference.messages import SAMPLE_RATE, Down
from inference.observability.tracing import add_event
from speech import errors, events
from speech.gateway.active_streams import registered
from speech.gateway.drain import DRAIN_TOPIC
from speech.gateway.link import Link
from speech.gateway.log_context import log_context
from speech.gateway.slot_request import SlotRequest
from speech.library.recording import compress_soon
from speech.live.audio_buffer import FLUSH, AudioBuffer
from speech.live.inbox import Inbox
from speech.live.session_lease import acquire_session, takeover_guard
from speech.live.stream_options import StreamOptions
from speech.live.stream_recording import StreamRecording
from speech.live.stream_state import OPEN_ENDED, SERVED, STATE_OF, STOPPED, WITHOUT_CLIENT, Intent, State
from speech.live.transcript import Stored, Transcript
from speech.metrics import ACKS, REPLAYS, WORDS
from speech.models import Counts, TimedWord

logger = logging.getLogger(__name__)

MAX_BUFFERED = 120 * SAMPLE_RATE
MAX_INBOX = 2_000
"""Messages. An engine, which gets audio a few seconds ahead, never fills it; a client that floods may."""


class Stream:
    kind = "stt"
    began = 0.0
    """Unix time; `registered` sets it."""

    def __init__(
        self,
        owner: User,
        emit: Callable[[events.Event], Awaitable[None]],
        options: StreamOptions,
        before_end: Callable[[], None] = lambda: None,
    ) -> None:
        """`before_end` is called before the last words are stored, however the stream ends; segments can be inserted
        until then."""
        self.id, self.owner = uuid.uuid4(), owner
        self.accepts_audio = False
        self._emit = emit
        self._options = options
        self._before_end = before_end
        self._inbox: Inbox[Down | Intent | Stored] = Inbox(MAX_INBOX)
        self._slot_request = SlotRequest(
            Link.current(),
            self._post,
            kind="stt",
            engine=options.engine,
            language=options.language,
            may_wait=options.wait,
            translates=options.translates,
        )
        self._audio = AudioBuffer(0)
        self._state = State.WAITING
        self.words_until = 0
        """Every word that begins before this sample was emitted."""
        self._counts = Counts(0, 0, 0)  # since the session began
        self._in_segment = False
        self._detached_at: float | None = None
        self._failure: errors.StreamError | None = None

    # --- What the owner calls -------------------------------------------------------------------------------------

    def feed(self, pcm: bytes) -> None:
        """Append audio: s16le, mono, 24 kHz, whole samples. A stream that finishes without its client discards it: the
        client, which gets no acknowledgement, sends it again.

        Raises `TooFast`, or `Unavailable` if the buffer is full because the database is unavailable.
        """
        if self._state in WITHOUT_CLIENT:
            return
        if self.buffered > MAX_BUFFERED:
            raise errors.Unavailable if self._transcript.is_failing else errors.TooFast
        self._end_rest()
        self._audio.append(pcm)

    def set_intent(self, intent: Intent, dropped: int = 0) -> None:
        """`dropped`: samples that the client had to discard so far. Raises `TooFast` if intents come faster than they
        are fulfilled."""
        if intent is not Intent.RUN:
            self.accepts_audio = False
        self._counts = replace(self._counts, dropped=max(self._counts.dropped, dropped))
        self._inbox.put(intent)

    def flush(self, id: int) -> None:
        """Bring everything fed so far to its end; `Flushed` follows when it is. More audio may follow. Raises
        `TooFast`."""
        self._end_rest()
        self._audio.flush(id)

    def keep_slot(self) -> None:
        """More audio follows, but not now: the stream does not rest."""
        self._audio.keep_slot()

    def insert_segment(self, speaker: str, words: Sequence[TimedWord]) -> None:
        """Store a segment of another speaker, once the stream is ready; its times are seconds of the session."""
        self._transcript.insert_segment(speaker, words)

    def fail(self, error: errors.StreamError) -> None:
        """End now; `run` raises the error."""
        self._failure = error
        self._inbox.wake()

    def detach(self) -> None:
        """The client has disconnected; it may come back with the session's id."""
        self._detached_at = time.monotonic()
        self._inbox.wake()

    @property
    def end(self) -> int:
        """Samples of the session that were fed."""
        return self._audio.end

    @property
    def stored_insertions(self) -> int:
        """Number of inserted segments that are stored."""
        return self._transcript.stored_insertions

    @property
    def engine_name(self) -> str:
        return self._slot_request.engine if self._audio.has_slot else ""

    @property
    def lag(self) -> float:
        """Seconds of audio that was fed and not processed."""
        return max(0, self._audio.end - self._audio.processed) / SAMPLE_RATE

    @property
    def buffered(self) -> int:
        """Samples that were fed and cannot be discarded yet."""
        return self._audio.end - self._audio.start

    @property
    def is_resting(self) -> bool:
        """No audio came for a while, so the segment ends."""
        return self._state is State.RESTING

    @property
    def pending_flushes(self) -> int:
        return self._audio.pending_flushes

    async def run(self) -> None:
        """Return when the stream is stopped or its client has gone, and everything is stored. Raises `StreamError`."""
        with registered(self), Link.current().subscribed(DRAIN_TOPIC, self._drain):
            await self._run()

    async def _run(self) -> None:
        options = self._options
        self._session, recorder = await acquire_session(self.owner, options)
        self._recording = StreamRecording(recorder, options.overlay)
        dropped = max(self._counts.dropped, self._session.dropped)
        self._counts = Counts(0, dropped, self._session.engines_lost)
        if self._session.samples:
            self._audio = AudioBuffer(self._session.samples)
        record = partial(self._recording.write_before, self._audio)
        self._transcript = Transcript(self._session, self._post, self.fail, record, options.speaker)
        self._ending: errors.StreamError | None = None
        """Raised at the end of a stream that its process had to finish."""
        self._is_unstored = False
        self._inbox.tick()
        try:
            with log_context(stream=self._session.pk), takeover_guard(self._session, self.fail):
                while self._state is not State.DONE:
                    await self._handle(await self._inbox.get())
                    if self._failure:
                        raise self._failure
                    await self._proceed()
        finally:
            self._inbox.stop()
            self._release_slot()
            self._before_end()
            await asyncio.shield(self._transcript.end(self._audio.end, self._received()))
            if recorder and not isinstance(self._failure, errors.TakenOver):
                compress_soon(self._session.pk)

    # --- Messages -------------------------------------------------------------------------------------------------

    def _post(self, message: Down | Stored) -> None:
        """Receives from the link and the transcript, which are not to blame if this stream does not keep up."""
        try:
            self._inbox.put(message)
        except errors.TooFast as error:
            self.fail(error)

    async def _handle(self, message: Down | Intent | Stored | None) -> None:
        match message:
            case messages.Step():
                self._audio.on_processed(message.sample)
                self.words_until = max(message.final_until, message.words_until)
                if message.final_until <= self._audio.end:  # else it is in the silence that fills up the last frame
                    self._transcript.advance_final_until(message.final_until)
                sample = min(message.sample, self._audio.end)
                await self._emit(events.Step(sample, message.speech, message.pauses))
            case messages.Partial():
                self._in_segment = bool(message.text)
                await self._emit(events.Partial(message.text, message.start, message.end))
            case messages.Word():
                WORDS.inc()
                await self._emit(self._transcript.add_word(message))
            case messages.Endpoint():
                self._in_segment = False
                add_event("endpoint", end=message.end)
                await self._emit(self._transcript.add_endpoint(message))
            case messages.Ready():
                await self._on_slot_granted()
            case messages.Marker() if message.id == FLUSH:
                sample, id = self._audio.complete_flush()
                self._transcript.finalize_pending()
                self._transcript.advance_final_until(sample)
                await self._emit(events.Flushed(id))
            case messages.Marker():
                self._on_end_reached()
            case messages.Closed():
                await self._on_slot_lost(message)
            case Stored():
                await self._on_stored(message)
            case Intent():
                await self._on_intent(message)
            case None:
                self._on_tick()

    def _on_end_reached(self) -> None:
        self._transcript.finalize_pending()
        if self._state is State.FINISHING:
            self._state = State.FINISHED
        else:
            self._transcript.advance_final_until(self._audio.ended_at)
        self._release_slot()

    async def _on_stored(self, stored: Stored) -> None:
        was_unstored, self._is_unstored = self._is_unstored, stored.sample is None
        if stored.sample is None:
            if not was_unstored:
                message = "The database isn't responding. Your audio is kept until it is back."
                await self._emit(events.Unstored(message))
        elif stored.sample > self._audio.start or was_unstored:
            self._audio.discard_before(stored.sample)
            ACKS.inc()
            await self._emit(events.Ack(stored.sample))

    async def _on_intent(self, intent: Intent) -> None:
        if self._state in WITHOUT_CLIENT:
            return
        if intent is not Intent.RUN or self._state is not State.RUNNING:
            self._state = STATE_OF[intent]
        if intent is Intent.RUN and self._audio.has_slot and not self._audio.is_ended:
            await self._emit_ready()

    def _on_tick(self) -> None:
        if self._detached_at is not None:
            self._state = self._state.after_detach(time.monotonic() - self._detached_at, self._in_segment)
        elif self._audio.has_slot:
            self._state = self._state.after_silence(self._audio.idle_for)

    def _end_rest(self) -> None:
        if self._state is State.RESTING:
            self._state, self._audio.is_complete = State.RUNNING, False
            self._inbox.wake()

    def _drain(self, _: dict[str, Any]) -> None:
        """This process ends: finish and store what was said; the client goes on with another process."""
        if not (self._options.keep and self._audio.has_slot):
            self.fail(errors.Restarting())
        elif self._state not in STOPPED:
            self._ending = errors.Restarting()
            self._state = State.FINISHING

    # --- Progress -------------------------------------------------------------------------------------------------

    async def _proceed(self) -> None:
        """Do what there is to do, whatever has changed."""
        self._audio.is_complete = self._state not in OPEN_ENDED
        self._transcript.store_if_due(self._received(), at_once=self._is_drained)
        if self._is_drained and self._state is not State.RESTING:
            is_acknowledged = self._audio.start >= self._transcript.final_until
            if self._transcript.is_stored and is_acknowledged and self._state is not State.PAUSED:
                await self._fulfill_intent()
        elif self._audio.has_slot:
            self._audio.send()
        elif not self._is_drained:
            await self._poll_slot_request()

    @property
    def _is_drained(self) -> bool:
        """No more audio follows for now, and everything that came is processed to its end."""
        if self._state in OPEN_ENDED:
            return False
        is_final = self._transcript.final_until == self._audio.end and not self._audio.pending_flushes
        return self._state is State.FINISHED or is_final

    async def _fulfill_intent(self) -> None:
        self._release_slot()
        if self._ending:
            raise self._ending
        if self._state is State.PAUSING:
            self._state = State.PAUSED
            await self._emit(events.Paused())
        else:
            self._state = State.DONE
            await self._emit(events.Done(str(self._session.pk), self._transcript.words))

    def _received(self) -> Counts:
        return replace(self._counts, received=self._audio.end)

    # --- The slot -------------------------------------------------------------------------------------------------

    async def _poll_slot_request(self) -> None:
        try:
            event = await self._slot_request.poll(
                self._transcript.final_until,
                endpointing=self._options.endpointing,
                awaits_turns=self._options.awaits_turns,
            )
        except errors.NoEngine:
            if not self._slot_request.may_wait:
                raise
            return  # an engine may come back; the next tick polls again
        if event and self._state not in SERVED:
            await self._emit(event)

    async def _on_slot_granted(self) -> None:
        if (connection := self._slot_request.claim()) is None:
            return
        self._audio.attach(connection, self._transcript.final_until)
        logger.info("slot %s of %s granted", connection.id, self._slot_request.engine)
        await self._transcript.start(self._slot_request.engine, self._slot_request.language)
        if self._state is State.WAITING:
            await self._emit_ready()

    async def _emit_ready(self) -> None:
        self._state, self.accepts_audio = State.RUNNING, True
        session, audio = str(self._session.pk), self._recording.is_saved
        engine, language = self._slot_request.engine, self._slot_request.language
        await self._emit(events.Ready(session, self._audio.end, self._transcript.words, engine, language, audio))

    async def _on_slot_lost(self, closed: messages.Closed) -> None:
        if not self._audio.has_slot:
            return
        self._audio.lose_slot()
        if closed.is_reassigned:
            message = f"The transcription pauses: {closed.reason}. Your audio is kept until a slot is free."
        else:
            message = f"The speech engine was lost: {closed.reason}. Your audio is kept until another engine is found."
            self._counts = replace(self._counts, engines_lost=self._counts.engines_lost + 1)
        REPLAYS.labels("stt").inc()
        add_event("slot lost")
        words = self._transcript.discard_pending()
        if self._state in (State.RUNNING, State.FINISHING):
            await self._emit(events.Interrupted(words, message))

    def _release_slot(self) -> None:
        self._slot_request.close()
        self._audio.release_slot()
