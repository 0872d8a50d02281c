"""The assistant's side of a conversation: generates replies, withholds them until it is their turn, and plays them."""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from accounts.models import User
from speech import errors, events
from speech.dialogue.history import History
from speech.dialogue.replies.playback import Playback
from speech.dialogue.replies.reply import Reply, ReplyFailed
from speech.llm.errors import ModelError
from speech.synthesis.options import SynthesisOptions

if TYPE_CHECKING:
    from speech.llm.client import LanguageModel

logger = logging.getLogger(__name__)

VOICE_FAILED = "The reply couldn't be spoken."


class Assistant:
    """Every reply has a number of its own and every task belongs to one reply, so that nothing of a reply that was
    dropped reaches the listener, however late it comes."""

    def __init__(
        self,
        owner: User,
        model: "LanguageModel",
        history: History,
        voice: SynthesisOptions,
        emit: Callable[[events.Event], None],
        on_played: Callable[[Playback], object],
        on_silent: Callable[[], None],
    ) -> None:
        """`on_played` is called when a reply was played as far as it will be, unless it was cut; `on_silent` when
        nothing is played any more."""
        self.playback: Playback | None = None
        """Of the current reply."""
        self._owner = owner
        self._model = model
        self._history = history
        self._voice = replace(voice, wait=True, low_latency=True, is_counted=False)
        self._emit = emit
        self._on_played = on_played
        self._on_silent = on_silent
        self._number = 0
        self._withheld: tuple[str, Reply, asyncio.Task[None]] | None = None  # with the user's text that it answers
        self._tasks: list[asyncio.Task[None]] = []  # of the current reply

    # --- Replies to the user ----------------------------------------------------------------------------------------

    def generate(self, text: str) -> None:
        """Generate the reply to the user's text, in place of one that is withheld."""
        self.discard()
        self._withheld = text, *self._generate(text)

    def discard(self) -> None:
        """Drop the reply that is withheld."""
        if self._withheld:
            self._withheld[2].cancel()
            self._withheld = None

    def play(self, text: str, speech_ended_at: float) -> None:
        """Play the reply to the user's text. `speech_ended_at`: when the user stopped to speak, monotonic."""
        if self._withheld and self._withheld[0] == text:
            _, reply, generating = self._withheld
            self._withheld = None
        else:
            self.discard()
            reply, generating = self._generate(text)
        self.playback = Playback(reply, self._emit)
        turn_ended_at = time.monotonic()
        report_latency = partial(self._report_latency, reply, speech_ended_at, turn_ended_at)
        self._tasks = [generating, asyncio.create_task(self._play(self.playback, report_latency))]

    def announce(self, text: str) -> None:
        """Speak a text of the site's own, which does not become part of the conversation."""
        self._tasks = [asyncio.create_task(self._announce(text))]

    def cut(self) -> Playback | None:
        """End the current reply and return it, if there is one."""
        for task in self._tasks:
            task.cancel()
        playback, self.playback, self._tasks = self.playback, None, []
        return playback

    async def close(self) -> None:
        """End everything, and wait until it has ended."""
        tasks = [*self._tasks, *([self._withheld[2]] if self._withheld else [])]
        self.discard()
        self.cut()
        if tasks:
            await asyncio.wait(tasks)

    # --- Tasks ------------------------------------------------------------------------------------------------------

    def _generate(self, text: str) -> tuple[Reply, asyncio.Task[None]]:
        reply = self._create(self._model.stream(self._history.messages(text)))
        return reply, asyncio.create_task(reply.run())

    def _create(self, source: AsyncGenerator[str]) -> Reply:
        self._number += 1
        return Reply(self._number, self._owner, source, self._voice, self._report_queue_position)

    def _report_queue_position(self, position: int) -> None:
        self._emit(events.ReplyQueued(position))

    async def _play(self, playback: Playback, report_latency: Callable[[], None]) -> None:
        try:
            await self._play_to_its_end(playback, report_latency)
        except Exception:
            logger.exception("reply %d could not be played", playback.reply.number)
            self._emit(_notice(ReplyFailed(), was_generated=False))
        self._end()  # whatever happened: else the user would never get a turn again

    async def _play_to_its_end(self, playback: Playback, report_latency: Callable[[], None]) -> None:
        if await playback.start():
            report_latency()
            await playback.run()
        self._on_played(playback)
        if (failure := playback.reply.failure) is not None:
            self._emit(_notice(failure, was_generated=bool(playback.reply.text)))
            if isinstance(failure, ModelError):
                await self._speak(failure.spoken)

    async def _announce(self, text: str) -> None:
        try:
            await self._speak(text)
        except Exception:
            logger.exception("an announcement could not be spoken")
        self._end()

    async def _speak(self, text: str) -> None:
        reply = self._create(_once(text))
        self.playback = Playback(reply, self._emit, is_announcement=True)
        generating = asyncio.create_task(reply.run())
        try:
            if await self.playback.start():
                await self.playback.run()
        finally:
            generating.cancel()
            await asyncio.wait([generating])

    def _end(self) -> None:
        self.playback, self._tasks = None, []
        self._on_silent()

    def _report_latency(self, reply: Reply, speech_ended_at: float, turn_ended_at: float) -> None:
        requested, text, audio = reply.requested_at, reply.first_text_at, reply.first_audio_at
        if text is None or audio is None:
            return
        now = time.monotonic()
        parts = (turn_ended_at - speech_ended_at, text - requested, audio - text, now - speech_ended_at)
        self._emit(events.TurnLatency(reply.number, *(round(max(0.0, part), 3) for part in parts)))


def _notice(failure: errors.StreamError, was_generated: bool) -> events.Notice:
    if was_generated and not isinstance(failure, ModelError):
        return events.Notice(VOICE_FAILED, f"{failure.what} {failure.why}", failure.action)
    return events.Notice(failure.what, failure.why, failure.action)


async def _once(text: str) -> AsyncGenerator[str]:
    yield text
