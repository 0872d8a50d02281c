"""The backlog of a client's messages, in memory and on the disk."""

import asyncio

import pytest

from speech.dialects.sockets import backlog
from speech.dialects.sockets.backlog import OVERHEAD, SLOT, Backlog

MESSAGES = [message for number in range(100) for message in (bytes([number]) * 900, f"message {number}: äöü")]
BLOCK = 10_000


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    monkeypatch.setattr(backlog, "BLOCK", BLOCK)


async def put(queue, message):
    queue.put(message)
    if queue.must_store:
        await queue.store()


async def put_all(queue):
    for message in MESSAGES:
        await put(queue, message)


async def get_all(queue):
    return [await queue.get() for _ in MESSAGES]


async def test_messages_come_out_in_their_order_and_all_but_two_blocks_are_on_the_disk():
    queue = Backlog()
    await put_all(queue)
    assert len(queue._stored) >= 8
    assert queue._tail_size < BLOCK
    assert await get_all(queue) == MESSAGES
    assert not queue
    await queue.close()


async def test_the_file_is_reused():
    queue = Backlog()
    for _ in range(5):
        filling = asyncio.create_task(put_all(queue))
        assert await get_all(queue) == MESSAGES
        await filling
    assert queue._slots <= 10
    assert queue._stored_size == 0
    await queue.close()


async def test_a_reader_waits_for_a_message():
    queue = Backlog()
    reading = asyncio.create_task(queue.get())
    await asyncio.sleep(0)
    queue.put("late")
    assert await reading == "late"


@pytest.mark.parametrize("reason", ["the backlog is full", "the disk is full"])
async def test_a_writer_waits_until_there_is_room(monkeypatch, reason):
    if reason == "the disk is full":
        monkeypatch.setattr(backlog, "has_room_for_request", lambda size: False)
    else:
        monkeypatch.setattr(backlog, "MAX_BACKLOG", 2 * BLOCK)
    queue = Backlog()
    writing = asyncio.create_task(put_all(queue))
    await asyncio.wait([writing], timeout=0.05)
    assert not writing.done()
    assert await get_all(queue) == MESSAGES
    await writing


async def test_closing_ends_a_writer_that_waits(monkeypatch):
    monkeypatch.setattr(backlog, "MAX_BACKLOG", 0)
    queue = Backlog()
    writing = asyncio.create_task(put_all(queue))
    await asyncio.wait([writing], timeout=0.05)
    await queue.close()
    await writing


def test_a_block_of_any_messages_fits_into_its_slot():
    for message in (b"", "", "\U0001f600" * (backlog.OVERHEAD // 4), b"x" * 100):
        size = OVERHEAD + len(message if isinstance(message, bytes) else message.encode())
        assert backlog._size(message) == size
        assert len(backlog.msgspec.msgpack.encode([message])) < size
    assert SLOT > 2 * 1024 * 1024 + OVERHEAD  # a block, and a message of the largest size
