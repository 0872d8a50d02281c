import asyncio

import pytest
from channels.layers import InMemoryChannelLayer

from inference import outbox as outbox_module
from inference.messages import Audio, Marker
from inference.outbox import Outbox, decode_up


@pytest.fixture
async def layer() -> InMemoryChannelLayer:
    return InMemoryChannelLayer(capacity=1)


@pytest.fixture
async def outbox(layer):
    outbox = Outbox(layer)
    task = asyncio.create_task(outbox.run())
    yield outbox
    task.cancel()


async def received(layer, address):
    async with asyncio.timeout(5):
        return decode_up((await layer.receive(address))["data"])


async def test_messages_of_one_tick_arrive_as_one_bundle_in_order(layer, outbox):
    outbox.put("worker", ("a", 0, Audio(b"12")))
    outbox.put("worker", ("b", 0, Audio(b"34")))
    outbox.put("worker", ("a", 1, Marker(7)))
    assert await received(layer, "worker") == [("a", 0, Audio(b"12")), ("b", 0, Audio(b"34")), ("a", 1, Marker(7))]


async def test_each_destination_gets_its_own_bundle(layer, outbox):
    outbox.put("one", ("a", 0, Marker(1)))
    outbox.put("two", ("b", 0, Marker(2)))
    assert await received(layer, "one") == [("a", 0, Marker(1))]
    assert await received(layer, "two") == [("b", 0, Marker(2))]


async def test_a_full_channel_delays_messages_and_loses_none(layer, outbox):
    await layer.send("worker", {"type": "bundle", "data": b"\x90"})
    outbox.put("worker", ("a", 0, Marker(0)))
    await asyncio.sleep(0.05)
    outbox.put("worker", ("a", 1, Marker(1)))
    await asyncio.sleep(0.05)
    assert await received(layer, "worker") == []
    assert await received(layer, "worker") == [("a", 0, Marker(0)), ("a", 1, Marker(1))]


async def test_messages_for_a_dead_destination_are_dropped_and_counted(layer, outbox, monkeypatch):
    monkeypatch.setattr(outbox_module, "MAX_PENDING", 5)
    await layer.send("dead", {"type": "bundle", "data": b"\x90"})
    for seq in range(6):
        outbox.put("dead", ("a", seq, Marker(seq)))
    await asyncio.sleep(0.1)
    assert outbox.dropped == 6
