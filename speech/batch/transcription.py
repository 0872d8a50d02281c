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
from speech.batch.parallel_transcriber import ParallelTranscriber
from speech.errors import StreamError
from speech.gateway.revocation_guard import revocation_guard
from speech.live.event_stream import Emit, stream_events
from speech.live.stream import Intent, Stream
from speech.live.stream_limit import stream_limit

MAX_BUFFERED = 60 * SAMPLE_RATE
"""Samples held of a recording, which is read faster than it is heard."""


@dataclass(frozen=True)
class Segment:
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
class Transcription:
    words: list[events.Word] = field(default_factory=list)
    engine: str = ""
    language: str = ""
    duration: float = 0.0
    """Seconds."""

    def add(self, event: events.Event) -> None:
        match event:
            case events.Ready(engine=engine, language=language):
                self.engine, self.language = engine, language
            case events.Word():
                self.words.append(event)
            case events.Endpoint():
                self.record_language([event])
            case events.Interrupted(words=standing):
                del self.words[standing:]
            case events.Step(sample=sample) | events.Ack(sample=sample):
                self.duration = max(self.duration, sample / SAMPLE_RATE)

    def record_language(self, endpoints: list[events.Endpoint]) -> None:
        """The first that was found, where none was told."""
        if self.language == UNKNOWN_LANGUAGE:
            self.language = next((each.language for each in endpoints if each.language), UNKNOWN_LANGUAGE)

    @property
    def text(self) -> str:
        return " ".join(word.text for word in self.words)

    @property
    def segments(self) -> list[Segment]:
        return [Segment(list(words)) for _, words in groupby(self.words, lambda word: word.segment)]


def transcription_events(caller: Caller, pcm: AsyncGenerator[bytes], **wishes: Any) -> AsyncGenerator[events.Event]:
    """What the stream of a recording tells, as it is heard: s16le, mono, 24 kHz, in whole samples. No more of it is
    taken than is heard. `wishes` are those of `Stream`, which is not kept unless they say so. Raises `StreamError`."""

    async def run(tell: Emit) -> None:
        progress = asyncio.Event()  # first that there is a slot

        async def tell_and_go_on(event: events.Event) -> None:
            await tell(event)
            progress.set()

        stream = Stream(caller.user, tell_and_go_on, **{"keep": False, **wishes})
        speaking = asyncio.create_task(_feed_all(stream, pcm, progress))
        try:
            with revocation_guard(caller, stream.fail), stream_limit(caller.user):
                await stream.run()
        finally:
            speaking.cancel()
            await asyncio.wait([speaking])

    return stream_events(run)


async def _feed_all(stream: Stream, pcm: AsyncGenerator[bytes], progress: asyncio.Event) -> None:
    async with aclosing(pcm):
        try:
            await progress.wait()
            async for chunk in pcm:
                while stream.buffered > MAX_BUFFERED:
                    progress.clear()
                    await progress.wait()
                stream.feed(chunk)
            stream.set_intent(Intent.STOP)
        except StreamError as error:
            stream.fail(error)


async def transcribe_in_one_stream(caller: Caller, pcm: AsyncGenerator[bytes], **wishes: Any) -> Transcription:
    """As a voice is heard: from the beginning to the end, in one slot. Raises `StreamError`."""
    heard = Transcription()
    async with aclosing(transcription_events(caller, pcm, **wishes)) as told:
        async for event in told:
            heard.add(event)
    return heard


async def transcribe(caller: Caller, pcm: AsyncGenerator[bytes], engine: str = "", language: str = "") -> Transcription:
    """As fast as can be, in parts beside each other. Raises `StreamError`."""
    heard, segments = Transcription(), 0
    hearing = ParallelTranscriber(caller, engine, language, is_urgent=True)
    with stream_limit(caller.user):
        async with aclosing(hearing.transcribe(pcm)) as parts:
            async for part, told in parts:
                placed = told.shifted(part.start / SAMPLE_RATE, len(heard.words), segments)
                heard.words += placed.words
                segments += len(placed.endpoints)
                heard.language = heard.language or hearing.language
                heard.record_language(placed.endpoints)
                heard.duration = part.end / SAMPLE_RATE
    heard.engine, heard.language = hearing.engine, heard.language or hearing.language
    return heard
