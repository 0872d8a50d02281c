"""Transcription of a whole recording, and what it consists of."""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field
from itertools import groupby

from accounts.credentials.principal import Caller
from inference.messages import SAMPLE_RATE, UNKNOWN_LANGUAGE
from speech import events
from speech.batch.parallel_transcriber import ParallelTranscriber
from speech.errors import InternalError, StreamError
from speech.gateway.revocation import revocation_guard
from speech.live.event_stream import Emit, stream_events
from speech.live.stream import Stream
from speech.live.stream_limit import program_stream
from speech.live.stream_options import StreamOptions
from speech.live.stream_state import Intent
from speech.text.word_spacing import join_words

logger = logging.getLogger(__name__)

MAX_BUFFERED = 60 * SAMPLE_RATE
"""Samples buffered of a recording, which is decoded faster than it is transcribed."""


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
        return join_words(word.text for word in self.words)


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
            case events.Interrupted(words=kept):
                del self.words[kept:]
            case events.Step(sample=sample) | events.Ack(sample=sample):
                self.duration = max(self.duration, sample / SAMPLE_RATE)

    def record_language(self, endpoints: list[events.Endpoint]) -> None:
        """Take the first language that was detected, if none was requested."""
        if self.language == UNKNOWN_LANGUAGE:
            self.language = next((each.language for each in endpoints if each.language), UNKNOWN_LANGUAGE)

    @property
    def text(self) -> str:
        return join_words(word.text for word in self.words)

    @property
    def segments(self) -> list[Segment]:
        return [Segment(list(words)) for _, words in groupby(self.words, lambda word: word.segment)]


def transcription_events(
    caller: Caller, pcm: AsyncGenerator[bytes], *, engine: str = "", language: str = "", wait: bool = False
) -> AsyncGenerator[events.Event]:
    """Events of an unsaved stream that transcribes `pcm`: s16le, mono, 24 kHz, in whole samples, read no faster than it
    is transcribed. Raises `StreamError`."""

    async def run(emit: Emit) -> None:
        progress = asyncio.Event()  # a slot is granted, or audio was processed

        async def emit_and_go_on(event: events.Event) -> None:
            await emit(event)
            progress.set()

        options = StreamOptions(engine=engine, language=language, wait=wait, keep=False)
        stream = Stream(caller.user, emit_and_go_on, options)
        feeding = asyncio.create_task(_feed_all(stream, pcm, progress))
        try:
            async with revocation_guard(caller, stream.fail):
                with program_stream(caller.user):
                    await stream.run()
        finally:
            feeding.cancel()
            await asyncio.wait([feeding])

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
        except Exception:
            logger.exception("unexpected error while a recording is decoded")
            stream.fail(InternalError())  # the stream would wait for audio for ever


async def transcribe_in_one_stream(caller: Caller, pcm: AsyncGenerator[bytes], *, wait: bool = False) -> Transcription:
    """Transcribe from the beginning to the end in one slot, like a live stream. Raises `StreamError`."""
    transcription = Transcription()
    async with aclosing(transcription_events(caller, pcm, wait=wait)) as stream:
        async for event in stream:
            transcription.add(event)
    return transcription


async def transcribe(
    caller: Caller, pcm: AsyncGenerator[bytes], engine: str = "", language: str = "", *, translates: bool = False
) -> Transcription:
    """Transcribe as fast as possible, in parallel chunks. `translates`: into English. Raises `StreamError`."""
    result, segments = Transcription(), 0
    transcriber = ParallelTranscriber(caller, engine, language, is_urgent=True, translates=translates)
    with program_stream(caller.user):
        async with aclosing(transcriber.transcribe(pcm)) as chunks:
            async for chunk, transcript in chunks:
                shifted = transcript.shifted(chunk.start / SAMPLE_RATE, len(result.words), segments)
                result.words += shifted.words
                segments += len(shifted.endpoints)
                result.language = result.language or transcriber.language
                result.record_language(shifted.endpoints)
                result.duration = chunk.end / SAMPLE_RATE
    result.engine, result.language = transcriber.engine, result.language or transcriber.language
    return result
