"""Queue of all that a stream handles, in order: messages of its client, engine and database, and ticks."""

import asyncio
from contextlib import suppress
from typing import Generic, TypeVar

from speech.errors import TooFast

TICK = 0.5
"""Seconds."""

Message = TypeVar("Message")


class Inbox(Generic[Message]):
    def __init__(self, size: int) -> None:
        self._queue: asyncio.Queue[Message | None] = asyncio.Queue(size)
        self._timer: asyncio.TimerHandle | None = None

    def put(self, message: Message) -> None:
        """Raises `TooFast` if the inbox is full."""
        try:
            self._queue.put_nowait(message)
        except asyncio.QueueFull:
            raise TooFast from None

    def wake(self) -> None:
        """Wake the reader; a full inbox has something to read anyway."""
        with suppress(asyncio.QueueFull):
            self._queue.put_nowait(None)

    def __len__(self) -> int:
        return self._queue.qsize()

    async def get(self) -> Message | None:
        """Return the next message, or None on a tick."""
        return await self._queue.get()

    def tick(self) -> None:
        """Start waking the reader regularly. It is a timer because a time-out around every message costs as much as the
        message."""
        self.wake()
        self._timer = asyncio.get_running_loop().call_later(TICK, self.tick)

    def stop(self) -> None:
        if self._timer:
            self._timer.cancel()
