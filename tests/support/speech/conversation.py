"""A conversation inside the test process: a scripted language model, and a client whose clock is the microphone."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from typing import Any, TypeVar

from accounts.models import User
from inference.engines.testing.encoded_words import silence, spoken
from inference.messages import FRAME_BYTES, FRAME_SAMPLES, SAMPLE_RATE
from speech import events, models
from speech.dialogue.conversation import Conversation
from speech.dialogue.options import ConversationOptions
from speech.gateway.database import in_database
from speech.llm.config import Message, ModelInfo

LONG_REPLY = "One two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen."
TIMEOUT = 60.0
MAX_UNPROCESSED = 6 * FRAME_SAMPLES
"""Samples that a client sends ahead of the engine while it plays a reply."""
AnyEvent = TypeVar("AnyEvent", bound=events.Event)
Item = str | asyncio.Event | Exception


class ScriptedModel:
    """Answers the user's last message by `replies`, or with “Yes.”. An event in a reply makes it wait."""

    def __init__(self, replies: dict[str, Sequence[Item]] | None = None, **info: Any) -> None:
        settings = {"is_local": True, "speculates": True, **info}
        self.info = ModelInfo(
            "scripted", "Scripted", url="http://127.0.0.1/v1", model="scripted", api_key="", **settings
        )
        self.replies = replies or {}
        self.requests: list[list[Message]] = []
        self.open = 0
        """Replies that are being generated."""
        self.tokens = (0, 0)

    async def prepare(self) -> None:
        pass

    async def stream(self, messages: Sequence[Message]) -> AsyncGenerator[str]:
        self.requests.append(list(messages))
        self.open += 1
        try:
            for item in self.replies.get(messages[-1].content, ("Yes.",)):
                if isinstance(item, asyncio.Event):
                    await item.wait()
                elif isinstance(item, Exception):
                    raise item
                else:
                    yield item
        finally:
            self.open -= 1
            self.tokens = self.tokens[0] + 10, self.tokens[1] + 2


class Client:
    """What a page does: it sends the microphone's audio, plays replies and reports how far it has played them."""

    def __init__(self, owner: User, options: ConversationOptions) -> None:
        self.events: list[events.Event] = []
        self.audio: dict[int, bytes] = {}  # by reply
        self.played: dict[int, int] = {}  # samples by reply
        self.reply = 0  # the latest
        self.conversation = Conversation(owner, self._emit, options)
        self.task = asyncio.create_task(self.conversation.run())

    async def _emit(self, event: events.Event) -> None:
        self.events.append(event)
        if isinstance(event, events.ReplyStarted):
            self.reply = event.reply
            self.audio[event.reply] = b""
        elif isinstance(event, events.Audio):
            self.audio[self.reply] += event.pcm

    # --- Waiting ----------------------------------------------------------------------------------------------------

    async def wait(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(TIMEOUT):
            while not condition():
                if self.task.done():
                    await self.task
                    raise AssertionError("the conversation ended")
                await asyncio.sleep(0.002)

    async def until(self, kind: type[AnyEvent], count: int = 1) -> AnyEvent:
        """The event number `count` of this kind, counted from 1."""
        await self.wait(lambda: len(self.all(kind)) >= count)
        return self.all(kind)[count - 1]

    async def ended(self) -> None:
        async with asyncio.timeout(TIMEOUT):
            await self.task

    async def processed(self) -> None:
        """Return when the engine has processed everything that was sent."""
        await self._processed_up_to(self.position)

    async def _processed_up_to(self, sample: int) -> None:
        await self.wait(lambda: any(step.sample >= sample for step in self.all(events.Step)[-3:]))

    def all(self, kind: type[AnyEvent]) -> list[AnyEvent]:
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def session(self) -> str:
        """ID of the session, once the conversation is ready."""
        return self.all(events.Ready)[-1].session

    @property
    def position(self) -> int:
        """Samples of the session that were sent."""
        return self.conversation._stream.end

    @property
    def state(self) -> str:
        states = self.all(events.TurnState)
        return states[-1].state if states else "listening"

    # --- The user ---------------------------------------------------------------------------------------------------

    async def say(self, text: str, pause: float = 0.64) -> None:
        """Speak, and then be silent for `pause` seconds; as many as end a turn by default."""
        await self.send(spoken(text) + silence(pause))

    async def send(self, pcm: bytes) -> None:
        await self.wait(lambda: self.conversation.accepts_audio)
        self._feed(pcm)
        await self.processed()

    def _feed(self, pcm: bytes) -> None:
        for start in range(0, len(pcm), FRAME_BYTES):
            self.conversation.feed(pcm[start : start + FRAME_BYTES])

    async def ask(self, text: str) -> int:
        """Speak a turn, and wait until its reply begins. Returns the reply's number."""
        count = len(self.all(events.ReplyStarted))
        await self.say(text)
        return (await self.until(events.ReplyStarted, count + 1)).reply

    async def listen(self, seconds: float) -> None:
        """Play the current reply for this long, in silence."""
        for _ in range(round(seconds * SAMPLE_RATE / FRAME_SAMPLES)):
            await self._play_frame()
        await self.processed()

    async def listen_to_the_end(self) -> None:
        """Play the current reply until nothing is left of it."""
        reply = self.reply
        while not self._is_over(reply):
            await self._play_frame()
        await self.wait(lambda: self.state == "listening" or self.reply != reply)

    def _is_sent(self, reply: int) -> bool:
        return any(event.reply == reply for event in self.all(events.ReplyEnded))

    def _is_over(self, reply: int) -> bool:
        ended = [event for event in self.all(events.ReplyEnded) if event.reply == reply]
        return bool(ended) and self.played.get(reply, 0) >= ended[0].samples

    async def _play_frame(self) -> None:
        reply, end = self.reply, self.played.get(self.reply, 0) + FRAME_SAMPLES
        await self.wait(
            lambda: len(self.audio[reply]) // 2 >= end or any(e.reply == reply for e in self.all(events.ReplyEnded))
        )
        await self.wait(lambda: self.conversation.accepts_audio)
        self._feed(silence(0.08))
        await self._processed_up_to(self.position - MAX_UNPROCESSED)
        self.played[reply] = min(end, len(self.audio[reply]) // 2)
        self.conversation.played(reply, self.played[reply], self.position)


async def said_in(session: str) -> list[tuple[str, str]]:
    """Who said what, in order of time."""
    turns = await in_database(lambda: models.Conversation.objects.get(session=session).turns_so_far(100))
    return [(turn.speaker, turn.text) for turn in turns]
