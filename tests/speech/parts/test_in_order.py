"""A recording in parts, with a real worker on the same event loop, and an engine whose words prove every sample."""

import asyncio
import contextlib

import pytest

from accounts.caller import Caller
from accounts.models import User
from accounts.scopes import STT
from inference import worker as workers
from inference.engines import ENGINES
from inference.worker import Worker
from speech import events
from speech.link import Link
from speech.parts import capacity
from speech.parts.cutting import cut
from speech.parts.in_order import InOrder
from speech.stream import Stream, Wish
from tests.inference.speech_like import noise, words_of
from tests.support.link import layer_alone

CALLER = Caller(User(pk=1), frozenset({STT}))
SOUND = noise(4_500)  # 6 minutes


@pytest.fixture(autouse=True)
async def layer(monkeypatch):
    """News of slots comes at once, so that tests need not wait for it."""
    monkeypatch.setattr(workers, "HEARTBEAT", 0.05)
    monkeypatch.setattr(capacity, "LOOKS_EVERY", 0.02)
    monkeypatch.setattr(capacity, "GIVES_WAY_EVERY", 0.1)
    async with layer_alone() as layer:
        yield layer


@pytest.fixture
async def run_worker(layer):
    async with contextlib.AsyncExitStack() as stack:

        async def run(slots):
            worker = Worker(layer, ENGINES["checksum"], slots)
            task = asyncio.create_task(worker.run())
            stack.push_async_callback(asyncio.wait, [task])
            stack.callback(task.cancel)
            while await Link.current().engines() == {}:
                await asyncio.sleep(0.01)
            return worker

        yield run


@contextlib.asynccontextmanager
async def speaker():
    """Has a slot."""
    is_ready = asyncio.Event()

    async def hear(event):
        if isinstance(event, events.Ready):
            is_ready.set()

    stream = Stream(CALLER.user, hear, keep=False)
    running = asyncio.create_task(stream.run())
    await is_ready.wait()
    yield
    stream.wish(Wish.STOP)
    await running


async def sound(pcm=SOUND, error=None):
    for i in range(0, len(pcm), 96_000):
        yield pcm[i : i + 96_000]
    if error:
        raise error


async def heard_of(hearing, **options):
    return [(part.start, heard) async for part, heard in hearing.parts(sound(**options))]


async def expected():
    return [(part.start, words_of(part.pcm)) async for part in cut(sound())]


def words_in(parts):
    return [(start, [word.text for word in heard.words]) for start, heard in parts]


async def all_free(worker):
    async with asyncio.timeout(120):
        while worker._scheduler.free != worker._scheduler.slots:
            await asyncio.sleep(0.01)


async def test_what_was_heard_comes_out_in_order(run_worker):
    worker = await run_worker(slots=4)
    most = 0

    async def watch():
        nonlocal most
        while True:
            most = max(most, len(capacity.Capacity.current()._guests))
            assert worker._scheduler.free > 0
            await asyncio.sleep(0)

    watching = asyncio.create_task(watch())
    assert words_in(await heard_of(InOrder(CALLER, "", ""))) == await expected()
    assert not watching.done()
    watching.cancel()
    assert most == 2  # half of them
    await all_free(worker)


async def test_who_was_called_counts_before_it_comes(run_worker):
    await run_worker(slots=4)

    wait = capacity.Capacity.current().wait
    assert await wait("")
    assert await wait("")
    looks_once = iter([False, True]).__next__
    assert not await wait("", unless=looks_once)


async def test_words_are_placed_after_what_was_before_them(run_worker):
    await run_worker(slots=2)
    hearing = InOrder(CALLER, "", "")
    _, heard = (await heard_of(hearing, pcm=noise(12)))[0]  # 0.96 s: two words and a half
    placed = heard.placed(60.0, words=100, segments=7)
    assert [(word.index, word.segment, word.start, word.end) for word in placed.words] == [
        (100, 7, 60.0, 60.4),
        (101, 7, 60.4, 60.8),
        (102, 7, 60.8, 60.96),
    ]
    assert [(each.segment, each.start, each.end) for each in placed.end_points] == [(7, 60.0, 60.96)]


async def test_whoever_wants_no_more_frees_its_slots(run_worker):
    worker = await run_worker(slots=4)
    hearing = InOrder(CALLER, "", "")
    async with contextlib.aclosing(hearing.parts(sound())) as parts:
        async for _ in parts:
            break
    await all_free(worker)
