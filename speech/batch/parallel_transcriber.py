"""A recording is heard in parts, in as many slots as are spare, and what was heard of them comes out in their order."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing, nullcontext
from typing import Any

from accounts.credentials.principal import Caller
from speech import errors
from speech.batch.chunk_transcriber import ChunkTranscriber, ChunkTranscript, OnStarted, Preempted, merge_channels
from speech.batch.chunking import Chunk, split
from speech.batch.preemption import Preemption
from speech.live.event_stream import stream_events

logger = logging.getLogger(__name__)

MAX_AHEAD = 8
"""Parts that are heard, or were, while one before them still is. Each has up to 3.6 MB of sound."""
RETRY_AFTER = 3.0  # seconds
SPEAKERS = ("Speaker 1", "Speaker 2")
"""Left and right, until somebody names them."""
RETRYABLE = (errors.AtCapacity, errors.NoEngine, errors.Unavailable)
"""Nothing is wrong with the part: it is its turn later."""


class ParallelTranscriber:
    def __init__(
        self,
        caller: Caller,
        engine: str,
        language: str,
        *,
        begun: OnStarted | None = None,
        is_urgent: bool = False,
        is_multichannel: bool = False,
    ) -> None:
        """`begun` is called once, before anything is heard. `comes_first`: somebody waits for the transcript, so one
        part is always heard, as whoever speaks is. `is_multichannel`: it is stereo, with a speaker on each side."""
        self._caller = caller
        self._started_callback = begun
        self._is_urgent = is_urgent
        self._is_multichannel = is_multichannel
        self.engine, self.language = engine, language
        """Those of the slots, once it has begun."""
        self.slots_lost = 0
        self._preemption = Preemption.current()
        self._beginning = asyncio.Lock()
        self._has_begun = False
        self._slots = 0  # that it has, or asks for
        self._transcribers: dict[int, ChunkTranscriber] = {}  # by the beginning of their part

    @property
    def processed(self) -> int:
        """Samples of parts that did not come out yet."""
        return sum(hearing.processed for hearing in self._transcribers.values())

    async def transcribe(
        self, sound: AsyncGenerator[bytes], start: int = 0
    ) -> AsyncGenerator[tuple[Chunk, ChunkTranscript]]:
        """`sound`: s16le, mono (stereo if it has sides), 24 kHz, in whole samples, from sample `start` of the recording
        on.

        Raises `StreamError`, and what `sound` raises.
        """
        tasks: set[asyncio.Task[ChunkTranscript]] = set()

        async def begin_all(tell: Callable[[tuple[Chunk, asyncio.Task[ChunkTranscript]]], Awaitable[None]]) -> None:
            async with aclosing(split(sound, start, 2 if self._is_multichannel else 1)) as parts:
                async for part in parts:
                    is_guest = await self._wait_for_turn()
                    tasks.add(task := asyncio.create_task(self._transcribe(part, is_guest)))
                    await tell((part, task))

        try:
            async with aclosing(stream_events(begin_all, MAX_AHEAD)) as begun:
                async for part, task in begun:
                    heard = await task
                    tasks.discard(task)
                    del self._transcribers[part.start]
                    yield part, heard
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _wait_for_turn(self) -> bool:
        """Returns when one more slot may be asked for; whether as a guest, who gives it up to who speaks."""
        is_guest = await self._preemption.wait(self.engine, unless=lambda: self._is_urgent and not self._slots)
        self._slots += 1
        return is_guest

    async def _transcribe(self, part: Chunk, is_guest: bool) -> ChunkTranscript:
        while True:
            try:
                return await self._transcribe_once(part, is_guest)
            except Preempted:
                pass
            except RETRYABLE as error:
                if self._is_urgent and not self._has_begun:
                    raise
                logger.info("a part of a recording waits: %s", error)
                await asyncio.sleep(RETRY_AFTER)
            is_guest = await self._wait_for_turn()

    async def _transcribe_once(self, part: Chunk, is_guest: bool) -> ChunkTranscript:
        may_wait = self._has_begun and not is_guest
        wishes = {"engine": self.engine, "language": self.language, "wait": may_wait}
        try:
            heard = [await self._transcribe_channel(part, side, is_guest, wishes) for side in part.split_channels]
        finally:
            self._slots -= 1
        return merge_channels(heard, SPEAKERS) if self._is_multichannel else heard[0]

    async def _transcribe_channel(
        self, part: Chunk, pcm: bytes, is_guest: bool, wishes: dict[str, Any]
    ) -> ChunkTranscript:
        hearing = self._transcribers[part.start] = ChunkTranscriber(pcm, self._caller, self._on_started, **wishes)
        try:
            with self._preemption.preemptible(hearing) if is_guest else nullcontext():
                return await hearing.run()
        finally:
            self.slots_lost += hearing.slots_lost

    async def _on_started(self, engine: str, language: str) -> None:
        """All parts are heard by the engine that hears the first."""
        async with self._beginning:
            if not self._has_begun:
                if self._started_callback:
                    await self._started_callback(engine, language)
                self.engine, self.language, self._has_begun = engine, language, True
