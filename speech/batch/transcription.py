"""A whole recording, heard from its beginning to its end, and what was heard of it."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from accounts.credentials.principal import Caller
from inference.messages import SAMPLE_RATE, UNKNOWN_LANGUAGE
from speech import events
from speech.batch.parallel_transcriber import InOrder
from speech.errors import StreamError
from speech.gateway.revocation_guard import while_allowed
from speech.live.event_stream import Tell, told_by
from speech.live.stream import Stream, Wish
from speech.live.stream_limit import counted

ENOUGH = 60 * SAMPLE_RATE
"""Samples held of a recording, which is read faster than it is heard."""


@dataclass(frozen=True)
class Utterance:
    words: list[events.Word]
    speaker: str = ""

    @property
    def start(self) -> float:
        """Seconds, like `end`."""
        return self.words[0].start

    @property
    def end(self) -> float:
        return self.words[-1].end

    @property
    def text(self) -> str:
        return " ".join(word.text for word in self.words)


@dataclass
class Heard:
    words: list[events.Word] = field(default_factory=list)
    engine: str = ""
    language: str = ""
    duration: float = 0.0
    """Seconds."""

    def take(self, event: events.Event) -> None:
        match event:
            case events.Ready(engine=engine, language=language):
                self.engine, self.language = engine, language
            case events.Word():
                self.words.append(event)
            case events.EndPoint():
                self.note_language([event])
            case events.Interrupted(words=standing):
                del self.words[standing:]
            case events.Step(sample=sample) | events.Ack(sample=sample):
                self.duration = max(self.duration, sample / SAMPLE_RATE)

    def note_language(self, end_points: list[events.EndPoint]) -> None:
        """The first that was found, where none was told."""
        if self.language == UNKNOWN_LANGUAGE:
            self.language = next((each.language for each in end_points if each.language), UNKNOWN_LANGUAGE)

    @property
    def text(self) -> str:
        return " ".join(word.text for word in self.words)

    @property
    def utterances(self) -> list[Utterance]:
        return [Utterance(list(words)) for _, words in groupby(self.words, lambda word: word.segment)]


def told_of(caller: Caller, pcm: AsyncGenerator[bytes], **wishes: Any) -> AsyncGenerator[events.Event]:
    """What the stream of a recording tells, as it is heard: s16le, mono, 24 kHz, in whole samples. No more of it is
    taken than is heard. `wishes` are those of `Stream`, which is not kept unless they say so. Raises `StreamError`."""

    async def run(tell: Tell) -> None:
        progress = asyncio.Event()  # first that there is a slot

        async def tell_and_go_on(event: events.Event) -> None:
            await tell(event)
            progress.set()

        stream = Stream(caller.user, tell_and_go_on, **{"keep": False, **wishes})
        speaking = asyncio.create_task(_say_all(stream, pcm, progress))
        try:
            with while_allowed(caller, stream.fail), counted(caller.user):
                await stream.run()
        finally:
            speaking.cancel()
            await asyncio.wait([speaking])

    return told_by(run)


async def _say_all(stream: Stream, pcm: AsyncGenerator[bytes], progress: asyncio.Event) -> None:
    async with aclosing(pcm):
        try:
            await progress.wait()
            async for chunk in pcm:
                while stream.held > ENOUGH:
                    progress.clear()
                    await progress.wait()
                stream.feed(chunk)
            stream.wish(Wish.STOP)
        except StreamError as error:
            stream.fail(error)


async def hear_in_one(caller: Caller, pcm: AsyncGenerator[bytes], **wishes: Any) -> Heard:
    """As a voice is heard: from the beginning to the end, in one slot. Raises `StreamError`."""
    heard = Heard()
    async with aclosing(told_of(caller, pcm, **wishes)) as told:
        async for event in told:
            heard.take(event)
    return heard


async def hear(caller: Caller, pcm: AsyncGenerator[bytes], engine: str = "", language: str = "") -> Heard:
    """As fast as can be, in parts beside each other. Raises `StreamError`."""
    heard, segments = Heard(), 0
    hearing = InOrder(caller, engine, language, comes_first=True)
    with counted(caller.user):
        async with aclosing(hearing.parts(pcm)) as parts:
            async for part, told in parts:
                placed = told.placed(part.start / SAMPLE_RATE, len(heard.words), segments)
                heard.words += placed.words
                segments += len(placed.end_points)
                heard.language = heard.language or hearing.language
                heard.note_language(placed.end_points)
                heard.duration = part.end / SAMPLE_RATE
    heard.engine, heard.language = hearing.engine, heard.language or hearing.language
    return heard
