"""Transcription of a recording in chunks, in as many slots as are spare; the transcripts come out in order."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing, nullcontext

from accounts.credentials.principal import Caller
from speech import errors
from speech.batch.chunk_transcriber import ChunkTranscriber, ChunkTranscript, OnStarted, Preempted, merge_channels
from speech.batch.chunking import Chunk, split
from speech.batch.preemption import Preemption
from speech.gateway.slot_request import requested_by
from speech.live.event_stream import stream_events
from speech.live.stream_options import StreamOptions

logger = logging.getLogger(__name__)

MAX_AHEAD = 8
"""Chunks that are transcribed, or were, while one before them still is. Each holds up to 3.6 MB of audio."""
RETRY_AFTER = 3.0  # seconds
SPEAKERS = ("Speaker 1", "Speaker 2")
"""Default names of the left and the right channel."""
RETRYABLE = (errors.AtCapacity, errors.NoEngine, errors.Unavailable)
"""Nothing is wrong with the chunk: it is transcribed later."""


class ParallelTranscriber:
    def __init__(
        self,
        caller: Caller,
        engine: str,
        language: str,
        *,
        on_started: OnStarted | None = None,
        is_urgent: bool = False,
        is_multichannel: bool = False,
        translates: bool = False,
    ) -> None:
        """`on_started` is called once, before anything is transcribed. `is_urgent`: a client waits for the transcript,
        so one chunk is always transcribed with the priority of a live stream. `is_multichannel`: the audio is stereo,
        with a speaker on each channel. `translates`: into English."""
        self.engine, self.language = engine, language
        """Those of the first slot, once the transcription has started."""
        self.slots_lost = 0
        self._caller = caller
        self._started_callback = on_started
        self._is_urgent = is_urgent
        self._is_multichannel = is_multichannel
        self._translates = translates
        self._preemption = Preemption.current()
        self._starting = asyncio.Lock()
        self._has_started = False
        self._slots = 0  # held or requested
        self._transcribers: dict[int, ChunkTranscriber] = {}  # by the start of their chunk

    @property
    def processed(self) -> int:
        """Samples of chunks that have not come out yet."""
        return sum(transcriber.processed for transcriber in self._transcribers.values())

    async def transcribe(
        self, audio: AsyncGenerator[bytes], start: int = 0
    ) -> AsyncGenerator[tuple[Chunk, ChunkTranscript]]:
        """`audio`: s16le, mono (stereo if multichannel), 24 kHz, whole samples, from sample `start` of the recording.

        Raises `StreamError`, and what `audio` raises.
        """
        tasks: set[asyncio.Task[ChunkTranscript]] = set()

        async def start_all(emit: Callable[[tuple[Chunk, asyncio.Task[ChunkTranscript]]], Awaitable[None]]) -> None:
            async with aclosing(split(audio, start, 2 if self._is_multichannel else 1)) as chunks:
                async for chunk in chunks:
                    is_preemptible = await self._wait_for_turn()
                    tasks.add(task := asyncio.create_task(self._transcribe(chunk, is_preemptible)))
                    await emit((chunk, task))

        try:
            async with aclosing(stream_events(start_all, MAX_AHEAD)) as started:
                async for chunk, task in started:
                    transcript = await task
                    tasks.discard(task)
                    del self._transcribers[chunk.start]
                    yield chunk, transcript
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _wait_for_turn(self) -> bool:
        """Return when one more slot can be requested, and whether it can be preempted by live streams."""
        is_preemptible = await self._preemption.wait(self.engine, unless=lambda: self._is_urgent and not self._slots)
        self._slots += 1
        return is_preemptible

    async def _transcribe(self, chunk: Chunk, is_preemptible: bool) -> ChunkTranscript:
        while True:
            try:
                return await self._transcribe_once(chunk, is_preemptible)
            except Preempted:
                pass
            except RETRYABLE as error:
                if self._is_urgent and not self._has_started:
                    raise
                logger.info("chunk of a recording is retried later: %s", error)
                await asyncio.sleep(RETRY_AFTER)
            is_preemptible = await self._wait_for_turn()

    async def _transcribe_once(self, chunk: Chunk, is_preemptible: bool) -> ChunkTranscript:
        wait = self._has_started and not is_preemptible
        options = StreamOptions(self.engine, self.language, wait=wait, keep=False, translates=self._translates)
        try:
            transcripts = [
                await self._transcribe_channel(
                    chunk.start,
                    ChunkTranscriber(pcm, self._caller, self._on_started, options),
                    is_preemptible,
                )
                for pcm in chunk.split_channels
            ]
        finally:
            self._slots -= 1
        return merge_channels(transcripts, SPEAKERS) if self._is_multichannel else transcripts[0]

    async def _transcribe_channel(
        self, start: int, transcriber: ChunkTranscriber, is_preemptible: bool
    ) -> ChunkTranscript:
        self._transcribers[start] = transcriber
        try:
            with (
                self._preemption.preemptible(transcriber) if is_preemptible else nullcontext(),
                requested_by(is_program=True, claims_share=not is_preemptible),
            ):
                return await transcriber.run()
        finally:
            self.slots_lost += transcriber.slots_lost

    async def _on_started(self, engine: str, language: str) -> None:
        """All chunks are transcribed by the engine that gets the first."""
        async with self._starting:
            if not self._has_started:
                if self._started_callback:
                    await self._started_callback(engine, language)
                self.engine, self.language, self._has_started = engine, language, True
