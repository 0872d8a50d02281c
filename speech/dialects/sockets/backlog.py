"""Messages of a client that sends faster than its stream processes: a queue in memory and, from the second block on, in
a temporary file.

The server goes on reading from such a client, because what is not read includes its pings, and without an answer to
those a client gives up.
"""

import asyncio
from collections import deque
from tempfile import TemporaryFile
from typing import IO

import msgspec

from speech.disk_space import has_room_for_request

MAX_BACKLOG = 512 * 1024 * 1024
"""Bytes: more than an hour of audio in Kyutai's encoding, the largest of all, or four hours of 16 bits at 16 kHz."""
BLOCK = 1024 * 1024
"""Bytes of messages that are written and read at once. Up to two blocks are in memory."""
SLOT = 2 * BLOCK + 64 * 1024
"""Bytes of the file for a block with one message beyond its end; what isn't used takes no space on the disk."""
OVERHEAD = 64
"""Bytes that a message takes in memory besides its content."""

Message = bytes | str


class Backlog:
    """One task calls `put` and `store`, another one `get`. `close` ends both."""

    def __init__(self) -> None:
        self._head: deque[Message] = deque()
        self._stored: deque[tuple[int, int, int]] = deque()  # slot in the file, size there, size of the messages
        self._tail: list[Message] = []
        self._tail_size = self._stored_size = 0
        self._file: IO[bytes] | None = None
        self._free_slots: list[int] = []
        self._slots = 0
        self._lock = asyncio.Lock()
        self._arrived, self._taken = asyncio.Event(), asyncio.Event()
        self._is_closed = False

    def __bool__(self) -> bool:
        return bool(self._head or self._stored or self._tail)

    def put(self, message: Message) -> None:
        self._tail.append(message)
        self._tail_size += _size(message)
        self._arrived.set()

    @property
    def must_store(self) -> bool:
        """Whether the caller of `put` has to `store`."""
        return self._tail_size >= BLOCK

    async def store(self) -> None:
        """Write the last messages to the disk. Waits while the backlog is full, or the disk."""
        while self.must_store and not self._is_closed:
            self._taken.clear()
            async with self._lock:
                if await self._write_tail():
                    return
            await self._taken.wait()

    async def get(self) -> Message:
        """Wait for the next message and remove it."""
        while not self._head:
            self._arrived.clear()
            async with self._lock:
                if self._stored:
                    self._head.extend(await self._read_block())
                else:
                    self._head.extend(self._tail)
                    self._tail, self._tail_size = [], 0
            self._taken.set()
            if not self._head:
                await self._arrived.wait()
        return self._head.popleft()

    async def close(self) -> None:
        self._is_closed = True
        self._taken.set()
        async with self._lock:
            if self._file:
                self._file.close()

    async def _write_tail(self) -> bool:
        """Returns whether there was room."""
        if self._is_closed or not self.must_store or self._stored_size + self._tail_size > MAX_BACKLOG:
            return False
        block = msgspec.msgpack.encode(self._tail)
        slot = self._free_slots.pop() if self._free_slots else self._slots
        self._slots = max(self._slots, slot + 1)
        if not await asyncio.to_thread(self._write, slot, block):
            self._free_slots.append(slot)
            return False
        self._stored.append((slot, len(block), self._tail_size))
        self._stored_size += self._tail_size
        self._tail, self._tail_size = [], 0
        return True

    def _write(self, slot: int, block: bytes) -> bool:
        if not has_room_for_request(len(block)):
            return False
        self._file = self._file or TemporaryFile(buffering=0)  # noqa: SIM115  (`close` closes it)
        self._file.seek(slot * SLOT)
        self._file.write(block)
        return True

    async def _read_block(self) -> list[Message]:
        slot, size, size_of_messages = self._stored.popleft()
        block = await asyncio.to_thread(self._read, slot, size)
        self._free_slots.append(slot)
        self._stored_size -= size_of_messages
        messages: list[Message] = msgspec.msgpack.decode(block)
        return messages

    def _read(self, slot: int, size: int) -> bytes:
        assert self._file  # noqa: S101  (`_write` opened it)
        self._file.seek(slot * SLOT)
        return self._file.read(size)


def _size(message: Message) -> int:
    """Bytes that a message takes in memory, which is more than in the file."""
    return OVERHEAD + (len(message) if isinstance(message, bytes) or message.isascii() else len(message.encode()))
