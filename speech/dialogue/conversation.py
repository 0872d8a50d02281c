"""A spoken conversation: a live stream of the user's speech, a language model, and a synthesis job for each reply.

    conversation = Conversation(user, emit, ConversationOptions(instructions="Be brief."))
    task = asyncio.create_task(conversation.run())
    conversation.feed(pcm)                  # the microphone, without gaps
    conversation.played(reply, sample, at)  # what the client has played
    conversation.interrupt()                # or add_text, release, stop

`emit` is awaited for each event, in order: those of the live stream, and those under “Conversations” in
`speech/events.py`. A client that has disconnected (`detach`) continues with the session's id: the session is the
memory.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from uuid import UUID

from django.conf import settings

from accounts.models import User
from inference.messages import SAMPLE_RATE
from speech import errors, events
from speech.dialogue.limits import Due, Limits
from speech.dialogue.memory import Memory
from speech.dialogue.options import ConversationOptions
from speech.dialogue.replies.assistant import Assistant
from speech.dialogue.replies.playback import Playback
from speech.dialogue.replies.reply_track import ReplyTrack
from speech.dialogue.turns.echo import EchoDetector
from speech.dialogue.turns.turn_taking import Action, Generate, Play, Signal, State, TurnTaking
from speech.gateway.link import Link
from speech.live.stream import Stream
from speech.live.stream_limit import SYNTHESIS_JOBS
from speech.live.stream_state import Intent
from speech.llm.catalog import language_model
from speech.models.conversation import USER
from speech.synthesis.voices import select_voice

MAX_TEXT = 4_000
"""Characters of a typed turn."""
MAX_OUTGOING = 2_000
"""Events that wait for the client: about a minute."""
MIN_PARTIAL = 0.5
"""Seconds of speech before which a partial text is mostly invented, so it is not shown."""
SHOWN_TURNS = 50
"""Turns of a continued conversation that the client gets."""
FLUSH_ID = 1
WATCH_INTERVAL = 1.0
"""Seconds between two checks of the limits."""
ANNOUNCEMENTS = {
    Due.LENGTH_WARNING: "We have one minute left.",
    Due.IDLE_WARNING: "Are you still there? I'll end our conversation soon.",
}


class NotReceiving(errors.StreamError):
    code = errors.CloseCode.TOO_SLOW
    what = "Your browser isn't receiving the conversation."
    why = "The tab is suspended, or the network is too slow."
    action = "Reload the page to continue the conversation."


class Conversation:
    def __init__(
        self, owner: User, emit: Callable[[events.Event], Awaitable[None]], options: ConversationOptions
    ) -> None:
        self._owner = owner
        self._emit = emit
        self._options = options
        self._outgoing: asyncio.Queue[events.Event | None] = asyncio.Queue(MAX_OUTGOING)
        self._turns = TurnTaking(push_to_talk=options.push_to_talk)
        self._reply_track = ReplyTrack()
        self._echo = EchoDetector()
        self._has_reported_echo = False
        stream_options = replace(options.stream, speaker=USER, overlay=self._reply_track, awaits_turns=True)
        self._stream = Stream(owner, self._on_stream_event, stream_options, before_end=self._cut)
        self._memory: Memory | None = None  # before the stream is ready
        self._assistant: Assistant | None = None
        self._limits = Limits(settings.TALK_MAX_MINUTES * 60, settings.TALK_IDLE_MINUTES * 60)
        self._began_at = self._active_at = time.monotonic()
        self._is_ending = False

    # --- What the owner calls ---------------------------------------------------------------------------------------

    @property
    def accepts_audio(self) -> bool:
        return self._stream.accepts_audio

    def feed(self, pcm: bytes) -> None:
        """Append audio of the microphone: s16le, mono, 24 kHz, whole samples. Raises as `Stream.feed`."""
        position = self._stream.end
        self._stream.feed(pcm)
        if self._playback:
            self._echo.recorded(position, pcm)

    def played(self, reply: int, sample: int, at: int) -> None:
        """The client has played a reply up to `sample`, when the microphone recorded sample `at` of the session."""
        playback = self._playback
        if playback is None or playback.reply.number != reply:
            return
        start, pcm = playback.on_played(sample, min(at, self._stream.end))
        if pcm:
            self._turns.on_reply_audible()
            self._reply_track.add(start, pcm)
            self._echo.played(start, pcm)
            self._active_at = time.monotonic()

    def interrupt(self) -> None:
        """The user asks the assistant to be silent."""
        self._perform(self._turns.on_interrupt)

    def add_text(self, text: str) -> None:
        """The user typed a turn. Raises `InvalidText`, or `ProtocolError` before `Ready`."""
        text = " ".join(text.split())
        if not 0 < len(text) <= MAX_TEXT:
            raise errors.InvalidText("Invalid message.", f"It must have 1 to {MAX_TEXT:,} characters.", "Change it.")
        if self._memory is None:
            raise errors.ProtocolError("Unexpected text.", "Send text only after “ready”.")
        self._active_at = time.monotonic()
        self._memory.add_typed(text)
        self._perform(lambda: self._turns.on_typed(text), is_typed=True)

    def release(self) -> None:
        """The user released the push-to-talk key."""
        self._perform(self._turns.on_released)

    def stop(self, dropped: int = 0) -> None:
        """End the conversation. `dropped`: as in `Stream.set_intent`."""
        self._end_turns()
        self._stream.set_intent(Intent.STOP, dropped)

    def detach(self) -> None:
        """The client has disconnected; it may come back with the session's id."""
        self._end_turns()
        self._stream.detach()

    def fail(self, error: errors.StreamError) -> None:
        """End now; `run` raises the error."""
        self._stream.fail(error)

    async def run(self) -> None:
        """Return when the conversation was stopped or its client has gone, and everything is stored. Raises
        `StreamError`."""
        select_voice(await Link.current().workers.tts_engines(), self._options.voice)
        self._model = await language_model(self._options.model)
        with SYNTHESIS_JOBS.count(self._owner):
            streaming = asyncio.create_task(self._stream.run())
            sending = asyncio.create_task(self._send_events())
            watching = asyncio.create_task(self._watch_limits())
            preparing = asyncio.create_task(self._model.prepare())
            try:
                await asyncio.wait([streaming, sending], return_when=asyncio.FIRST_COMPLETED)
                if not sending.done():
                    await self._outgoing.put(None)
                await sending
                await streaming
            finally:
                await self._close(streaming, sending, watching, preparing)

    async def _close(self, *tasks: asyncio.Task[None]) -> None:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        if self._assistant and self._memory:
            await self._assistant.close()
            await self._memory.close()

    # --- Events of the stream ---------------------------------------------------------------------------------------

    async def _on_stream_event(self, event: events.Event) -> None:
        match event:
            case events.Ready():
                if self._memory is None:
                    await self._open(event)
                self._send(event)
            case events.Step(sample=sample, speech=speech, pauses=pauses):
                self._send(event)
                self._report_saved()
                is_echo = self._playback is not None and self._echo.is_echo
                self._perform(lambda: self._turns.on_step(sample, speech, pauses, is_echo))
                self._report_echo()
            case events.Partial(text=text, start=start, end=end):
                is_reliable = end - start >= MIN_PARTIAL or self._turns.speech.silence > 0
                self._send(event if is_reliable else events.Partial("", start, end))
                self._perform(lambda: self._turns.on_partial(text))
            case events.Word(index=index, text=text):
                self._send(event)
                self._active_at = time.monotonic()
                self._perform(lambda: self._turns.on_word(index, text))
            case events.Interrupted(words=words):
                self._send(event)
                self._perform(lambda: self._turns.on_engine_lost(words))
            case events.Flushed():
                self._perform(self._turns.on_flushed)
            case _:
                self._send(event)

    async def _open(self, ready: events.Ready) -> None:
        """Prepare the assistant's side; the session exists now."""
        info, options = self._model.info, self._options
        self._memory = await Memory.open(self._stream, UUID(ready.session), self._model, options)
        self._turns.language, self._turns.speculates = ready.language, info.speculates
        self._assistant = Assistant(
            self._owner,
            self._model,
            self._memory.history,
            options.voice,
            self._send,
            on_played=self._store,
            on_silent=self._on_silent,
        )
        past = [events.PastTurn(turn.speaker, turn.text) for turn in self._memory.past[-SHOWN_TURNS:]]
        self._send(events.Conversation(info.name, info.label, info.is_demo, options.voice.voice, past))
        if options.unsaved is not None and past and past[-1].speaker == USER:
            self._answer(past[-1].text, self._assistant, self._memory)

    def _answer(self, text: str, assistant: Assistant, memory: Memory) -> None:
        """Reply to the user's last turn, whose reply was lost with the connection."""
        memory.history.remove_last_user()
        self._turns.on_unanswered(text)
        self._send(events.TurnState(State.REPLYING.value))
        assistant.play(text, time.monotonic())
        memory.history.add_user(text)

    def _report_echo(self) -> None:
        if self._turns.echo.picks_up_replies and not self._has_reported_echo:
            self._has_reported_echo = True
            self._send(events.EchoDetected())

    def _report_saved(self) -> None:
        for number in self._memory.pop_saved() if self._memory else ():
            self._send(events.ReplySaved(number))

    # --- Turns ------------------------------------------------------------------------------------------------------

    @property
    def _playback(self) -> Playback | None:
        return self._assistant.playback if self._assistant else None

    def _perform(self, decide: Callable[[], list[Action]], is_typed: bool = False) -> None:
        before = self._turns.state
        actions = decide()
        if self._assistant and self._memory and not self._is_ending:
            for action in actions:
                self._act(action, self._assistant, self._memory, is_typed)
        self._report_state(before)

    def _act(self, action: Action, assistant: Assistant, memory: Memory, is_typed: bool) -> None:
        match action:
            case Generate(text=text):
                assistant.generate(text)
            case Play(text=text):
                end = self._stream.end if is_typed else self._turns.speech.end
                self._send(events.Turn(text, is_typed, end))
                assistant.play(text, time.monotonic() - (self._stream.end - end) / SAMPLE_RATE)
                memory.history.add_user(text)
            case Signal.DISCARD:
                assistant.discard()
            case Signal.FLUSH:
                self._stream.flush(FLUSH_ID)
            case Signal.REOPEN:
                self._cut()
                memory.history.remove_last_user()
            case Signal.CUT:
                self._cut()
            case Signal.HOLD | Signal.RESUME:
                pass  # the client pauses and resumes its playback with the state

    def _report_state(self, before: State) -> None:
        if self._turns.state is not before:
            self._send(events.TurnState(self._turns.state.value))

    def _cut(self) -> None:
        """End the current reply, if there is one, and store what was played of it."""
        if self._assistant and (playback := self._assistant.cut()):
            text = self._store(playback)
            self._send(events.ReplyCut(playback.reply.number, text))

    def _end_turns(self) -> None:
        """The user's last words are stored; they get no reply."""
        self._is_ending = True
        self._cut()
        if self._assistant:
            self._assistant.discard()

    def _store(self, playback: Playback) -> str:
        if self._memory is None or playback.is_announcement:
            return ""
        return self._memory.add_reply(playback)

    def _on_silent(self) -> None:
        before = self._turns.state
        self._turns.on_reply_ended()
        self._report_state(before)

    # --- The client -------------------------------------------------------------------------------------------------

    def _send(self, event: events.Event) -> None:
        try:
            self._outgoing.put_nowait(event)
        except asyncio.QueueFull:
            self._stream.fail(NotReceiving())

    async def _send_events(self) -> None:
        while (event := await self._outgoing.get()) is not None:
            await self._emit(event)

    # --- Limits -----------------------------------------------------------------------------------------------------

    async def _watch_limits(self) -> None:
        while True:
            await asyncio.sleep(WATCH_INTERVAL)
            now = time.monotonic()
            if self._turns.state is State.LISTENING and not self._turns.speech.is_going_on:
                self._enforce(self._limits.due(now - self._began_at, now - self._active_at))

    def _enforce(self, due: Due | None) -> None:
        if due is None or self._assistant is None:
            return
        if text := ANNOUNCEMENTS.get(due):
            self._send(events.TurnState(State.REPLYING.value))
            self._turns.on_announcement()
            self._assistant.announce(text)
        else:
            self.stop()
