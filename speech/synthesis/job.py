"""A live speech synthesis job: text goes in as it arrives, audio and word times come out.

    job = SynthesisJob(user, emit, SynthesisOptions(voice="slt"))
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
from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from dataclasses import dataclass
from enum import Enum, auto
from uuid import uuid4

from accounts.models import User
from inference import messages
from inference.messages import BYTES_PER_SAMPLE, FRAME_SAMPLES, SAMPLE_RATE, Down, Marker
from inference.observability.tracing import add_event
from speech import errors, events
from speech.gateway.active_streams import registered
from speech.gateway.link import Link
from speech.gateway.slot_request import SlotRequest
from speech.live.inbox import Inbox
from speech.live.stream_limit import SYNTHESIS_JOBS
from speech.metrics import FIRST_AUDIO, REPLAYS
from speech.synthesis.options import SynthesisOptions
from speech.synthesis.text_input import TextInput
from speech.synthesis.text_slot import TextSlot
from speech.synthesis.voices import SelectedVoice, select_voice
from speech.synthesis.word_tracker import WordGroup, WordTracker

logger = logging.getLogger(__name__)

MAX_AHEAD = 400
"""Characters sent to the engine whose audio is not emitted yet, with the space after each word."""
MAX_INBOX = 4_000
"""Messages from the engine; `MAX_AHEAD` characters give far fewer, even spoken slowly."""
IDLE_TIMEOUT = 60.0
"""Seconds without text after which the job fails and releases its slot."""
MAX_LOSSES = 3
"""Engines lost in a row without any audio in between."""
RECOVERY_TIMEOUT = 30.0
"""Seconds from the loss of an engine until the job fails if no other is found. A slot that another account got is
waited for longer, as by a new request."""


class State(Enum):
    """What a job does.

    | state      | slot      | until                                                                |
    | ---------- | --------- | -------------------------------------------------------------------- |
    | WAITING    | requested | a slot is granted, which emits `SynthesisStarted`: SPEAKING           |
    | SPEAKING   | granted   | the engine reaches the end of the input, `SynthesisDone`: DONE;       |
    |            |           | the slot is lost, `Interrupted`: RECOVERING                           |
    | RECOVERING | requested | a slot is granted: SPEAKING                                           |
    | DONE       | released  | (`stop` leads here from every state)                                  |
    """

    WAITING = auto()
    SPEAKING = auto()
    RECOVERING = auto()
    DONE = auto()


@dataclass
class Emitted:
    samples: int = 0
    words: int = 0


class SynthesisJob:
    kind = "tts"
    began = 0.0
    """Unix time; `registered` sets it."""

    def __init__(
        self,
        owner: User,
        emit: Callable[[events.Event], Awaitable[None]],
        options: SynthesisOptions,
    ) -> None:
        self.id, self.owner = uuid4(), owner
        self._emit = emit
        self._options = options
        self._inbox: Inbox[Down] = Inbox(MAX_INBOX)
        self._slot_request = SlotRequest(Link.current(), self._post, kind="tts", may_wait=options.wait)
        self._voice: SelectedVoice
        self._input = TextInput()
        self._words = WordTracker()
        self._slot: TextSlot | None = None
        self._state = State.WAITING
        self._emitted = Emitted()
        self._losses = 0
        self._lost_at: float | None = None  # monotonic; None: no engine was lost
        self._failure: errors.StreamError | None = None

    def add_text(self, text: str) -> None:
        """Append text. Raises `InvalidText` if the total is too long or `finish` was called before."""
        self._input.add(text)
        self._inbox.wake()

    def finish(self) -> None:
        """Mark the end of input."""
        self._input.is_finished = True
        self._inbox.wake()

    def stop(self) -> None:
        """Stop because nothing is played any more; `run` returns."""
        self._state = State.DONE
        self._release_slot()
        self._inbox.wake()

    def fail(self, error: errors.StreamError) -> None:
        """End now; `run` raises the error."""
        self._failure = error
        self._inbox.wake()

    @property
    def engine_name(self) -> str:
        return self._voice.engine.engine if self._slot else ""

    @property
    def lag(self) -> float:
        """Always 0: synthesis has no input in real time."""
        return 0.0

    @property
    def is_ending(self) -> bool:
        """True once the job was stopped or failed; its events no longer matter."""
        return self._state is State.DONE or self._failure is not None

    async def run(self) -> None:
        """Returns when everything was emitted, or after `stop`. Raises `StreamError`."""
        count = SYNTHESIS_JOBS.count(self.owner) if self._options.is_counted else nullcontext()
        with registered(self), count:
            self._voice = select_voice(await Link.current().workers.tts_engines(), self._options)
            self._slot_request.engine = self._voice.engine.engine
            self._input.start(self._voice.voice.language)
            self._inbox.tick()
            try:
                while self._state is not State.DONE:
                    await self._proceed()
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
            case messages.Audio() if self._slot:  # else late audio of a released slot
                await self._emit_audio(message.pcm)
            case Marker() if self._slot:
                self._state = State.DONE
                await self._emit(events.SynthesisDone(self._emitted.samples, self._emitted.words))
            case messages.Closed(is_rejection=True):
                raise errors.InvalidControl(why=message.reason)
            case messages.Closed():
                await self._on_slot_lost(message)

    async def _proceed(self) -> None:
        if self._failure:
            raise self._failure
        await self._normalize()
        if self._slot:
            self._send(self._slot)
        elif self._state is not State.DONE:
            await self._poll_slot_request()

    async def _normalize(self) -> None:
        """Normalize as much text as will be sent soon."""
        while self._input.has_more and self._words.waiting < MAX_AHEAD:
            self._words.add(self._input.read())
            await asyncio.sleep(0)
        if self._input.is_exhausted:
            self._words.add(self._input.read_rest())
        for skipped in self._input.pop_skipped():
            await self._emit(events.Skipped(skipped.text, skipped.first))
        if self._input.is_exhausted and self._words.is_empty and not self._emitted.samples:
            raise errors.InvalidText

    def _send(self, slot: TextSlot) -> None:
        """Send the words that the engine should get now, and the end of the input after the last one."""
        slot.send(self._words.pop_text(MAX_AHEAD - self._words.ahead))
        if self._input.is_exhausted and self._words.is_sent:
            slot.end()
        is_idle = time.monotonic() - self._input.last_received_at > IDLE_TIMEOUT
        if is_idle and self._words.is_timed and not self._input.is_finished:
            raise errors.InvalidText(
                f"No text received for {IDLE_TIMEOUT:.0f} s.",
                "Idle streams are closed to free their slot.",
                "Start again and send text.",
            )

    async def _emit_audio(self, pcm: bytes) -> None:
        self._losses = 0
        for group in self._words.pop_started((self._emitted.samples + FRAME_SAMPLES) / SAMPLE_RATE):
            await self._emit_word(group)
        if not self._emitted.samples and self._input.first_received_at:
            FIRST_AUDIO.observe(time.monotonic() - self._input.first_received_at)
            add_event("first audio")
        self._emitted.samples += len(pcm) // BYTES_PER_SAMPLE
        self._words.discard_before(self._emitted.samples / SAMPLE_RATE)
        await self._emit(events.Audio(pcm))

    async def _emit_word(self, group: WordGroup) -> None:
        self._emitted.words += 1
        first, end = group.span
        await self._emit(events.SpokenWord(self._input.text[first:end], first, group.start, group.end))

    async def _poll_slot_request(self) -> None:
        is_recovering = self._state is State.RECOVERING
        if self._lost_at and time.monotonic() - self._lost_at > RECOVERY_TIMEOUT:
            what = "The speech engine was lost and no other was available."
            running = await Link.current().workers.engines("tts")
            raise errors.AtCapacity(what) if self._voice.engine.engine in running else errors.NoEngine(what)
        try:
            event = await self._slot_request.poll(
                self._emitted.samples,
                voice=self._voice.voice.name,
                controls=self._options.controls,
                low_latency=self._options.low_latency,
            )
        except (errors.NoEngine, errors.ProtocolError):
            if not is_recovering:
                raise
            return  # an engine may become available; the next timer event polls again
        if event and not is_recovering:
            await self._emit(event)

    async def _on_slot_granted(self) -> None:
        if (connection := self._slot_request.claim()) is None:
            return
        self._slot, self._state, self._lost_at = TextSlot(connection), State.SPEAKING, None
        engine, voice = self._voice
        await self._emit(events.SynthesisStarted(engine.engine, voice.name, voice.language))

    async def _on_slot_lost(self, closed: messages.Closed) -> None:
        if self._slot is None:
            return
        self._slot, self._state = None, State.RECOVERING
        REPLAYS.labels("tts").inc()
        add_event("slot lost")
        if closed.is_reassigned:
            message = f"The speech pauses: {closed.reason}. It continues where it stopped when a slot is free."
        else:
            self._lost_at = time.monotonic()
            self._losses += 1
            if self._losses > MAX_LOSSES:
                raise errors.NoEngine("The speech engine was lost repeatedly.", f"Last error: {closed.reason}.")
            reason = f"The speech engine was lost: {closed.reason}."
            message = f"{reason} It continues where it stopped when another one is found."
        self._words.rewind()
        await self._emit(events.Interrupted(self._emitted.words, message))

    def _release_slot(self) -> None:
        self._slot_request.close()
        if self._slot:
            self._slot.close()
            self._slot = None
