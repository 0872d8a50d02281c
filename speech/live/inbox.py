"""What a stream has to see to, in order: from its speaker, its engine and the database, and once in a while nothing."""

import asyncio
from contextlib import suppress
from typing import Generic, TypeVar

from speech.errors import TooFast

TICK = 0.5

Message = TypeVar("Message")


class Inbox(Generic[Message]):
    def __init__(self, holds: int) -> None:
        self._queue: asyncio.Queue[Message | None] = asyncio.Queue(holds)
        self._timer: asyncio.TimerHandle | None = None

    def put(self, message: Message) -> None:
        """Raises `TooFast`."""
        try:
            self._queue.put_nowait(message)
        except asyncio.QueueFull:
            raise TooFast from None

    def wake(self) -> None:
        """A full one needs no waking."""
        with suppress(asyncio.QueueFull):
            self._queue.put_nowait(None)

    def __len__(self) -> int:
        return self._queue.qsize()

    async def get(self) -> Message | None:
        return await self._queue.get()

    def tick(self) -> None:
        """Wakes whoever reads when nothing else does. A timer, since a time-out around every message costs as much as
        the message."""
        self.wake()
        self._timer = asyncio.get_running_loop().call_later(TICK, self.tick)

    def stop(self) -> None:
        if self._timer:
            self._timer.cancel()
