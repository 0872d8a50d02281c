"""A recording is heard in parts, in as many slots as are spare, and what was heard of them comes out in their order."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing, nullcontext
from typing import Any

from accounts.credentials.principal import Caller
from speech import errors
from speech.batch.chunk_transcriber import Begun, HeardPart, PartHearing, Yielded, merged
from speech.batch.chunking import Part, cut
from speech.batch.preemption import Capacity
from speech.live.event_stream import told_by

logger = logging.getLogger(__name__)

AHEAD = 8
"""Parts that are heard, or were, while one before them still is. Each has up to 3.6 MB of sound."""
TRIES_AGAIN_AFTER = 3.0  # seconds
SPEAKERS = ("Speaker 1", "Speaker 2")
"""Left and right, until somebody names them."""
LATER = (errors.AtCapacity, errors.NoEngine, errors.Unavailable)
"""Nothing is wrong with the part: it is its turn later."""


class InOrder:
    def __init__(
        self,
        caller: Caller,
        engine: str,
        language: str,
        *,
        begun: Begun | None = None,
        comes_first: bool = False,
        has_sides: bool = False,
    ) -> None:
        """`begun` is called once, before anything is heard. `comes_first`: somebody waits for the transcript, so one
        part is always heard, as whoever speaks is. `has_sides`: it is stereo, with a speaker on each side."""
        self._caller = caller
        self._tell_begun = begun
        self._comes_first = comes_first
        self._has_sides = has_sides
        self.engine, self.language = engine, language
        """Those of the slots, once it has begun."""
        self.slots_lost = 0
        self._capacity = Capacity.current()
        self._beginning = asyncio.Lock()
        self._has_begun = False
        self._slots = 0  # that it has, or asks for
        self._hearings: dict[int, PartHearing] = {}  # by the beginning of their part

    @property
    def heard(self) -> int:
        """Samples of parts that did not come out yet."""
        return sum(hearing.heard for hearing in self._hearings.values())

    async def parts(self, sound: AsyncGenerator[bytes], start: int = 0) -> AsyncGenerator[tuple[Part, HeardPart]]:
        """`sound`: s16le, mono (stereo if it has sides), 24 kHz, in whole samples, from sample `start` of the recording
        on.

        Raises `StreamError`, and what `sound` raises.
        """
        tasks: set[asyncio.Task[HeardPart]] = set()

        async def begin_all(tell: Callable[[tuple[Part, asyncio.Task[HeardPart]]], Awaitable[None]]) -> None:
            async with aclosing(cut(sound, start, 2 if self._has_sides else 1)) as parts:
                async for part in parts:
                    is_guest = await self._turn()
                    tasks.add(task := asyncio.create_task(self._hear(part, is_guest)))
                    await tell((part, task))

        try:
            async with aclosing(told_by(begin_all, AHEAD)) as begun:
                async for part, task in begun:
                    heard = await task
                    tasks.discard(task)
                    del self._hearings[part.start]
                    yield part, heard
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _turn(self) -> bool:
        """Returns when one more slot may be asked for; whether as a guest, who gives it up to who speaks."""
        is_guest = await self._capacity.wait(self.engine, unless=lambda: self._comes_first and not self._slots)
        self._slots += 1
        return is_guest

    async def _hear(self, part: Part, is_guest: bool) -> HeardPart:
        while True:
            try:
                return await self._hear_once(part, is_guest)
            except Yielded:
                pass
            except LATER as error:
                if self._comes_first and not self._has_begun:
                    raise
                logger.info("a part of a recording waits: %s", error)
                await asyncio.sleep(TRIES_AGAIN_AFTER)
            is_guest = await self._turn()

    async def _hear_once(self, part: Part, is_guest: bool) -> HeardPart:
        may_wait = self._has_begun and not is_guest
        wishes = {"engine": self.engine, "language": self.language, "wait": may_wait}
        try:
            heard = [await self._hear_side(part, side, is_guest, wishes) for side in part.sides]
        finally:
            self._slots -= 1
        return merged(heard, SPEAKERS) if self._has_sides else heard[0]

    async def _hear_side(self, part: Part, pcm: bytes, is_guest: bool, wishes: dict[str, Any]) -> HeardPart:
        hearing = self._hearings[part.start] = PartHearing(pcm, self._caller, self._note_slot, **wishes)
        try:
            with self._capacity.guest(hearing) if is_guest else nullcontext():
                return await hearing.run()
        finally:
            self.slots_lost += hearing.slots_lost

    async def _note_slot(self, engine: str, language: str) -> None:
        """All parts are heard by the engine that hears the first."""
        async with self._beginning:
            if not self._has_begun:
                if self._tell_begun:
                    await self._tell_begun(engine, language)
                self.engine, self.language, self._has_begun = engine, language, True
