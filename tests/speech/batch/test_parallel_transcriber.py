"""A recording in parts, with a real worker on the same event loop, and an engine whose words prove every sample."""

import asyncio
import contextlib

import pytest

from accounts.credentials.principal import Caller
from accounts.models import User
from accounts.scopes import STT
from inference import worker as workers
from inference.engines import ENGINES
from inference.worker import Worker
from speech import errors, events
from speech.batch import decode, preemption
from speech.batch.chunking import split
from speech.batch.parallel_transcriber import ParallelTranscriber
from speech.gateway.link import Link
from speech.live.stream import Stream
from speech.live.stream_state import Intent
from tests.support.speech.checksum_audio import noise, words_of
from tests.support.speech.link import isolated_layer

CALLER = Caller(User(pk=1), frozenset({STT}))
SOUND = noise(4_500)  # 6 minutes


@pytest.fixture(autouse=True)
async def layer(monkeypatch):
    """News of slots comes at once, so that tests need not wait for it."""
    monkeypatch.setattr(workers, "HEARTBEAT_INTERVAL", 0.05)
    monkeypatch.setattr(preemption, "POLL_INTERVAL", 0.02)
    monkeypatch.setattr(preemption, "PREEMPT_INTERVAL", 0.1)
    async with isolated_layer() as layer:
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
    stream.set_intent(Intent.STOP)
    await running


async def sound(pcm=SOUND, error=None):
    for i in range(0, len(pcm), 96_000):
        yield pcm[i : i + 96_000]
    if error:
        raise error


async def heard_of(hearing, **options):
    return [(part.start, heard) async for part, heard in hearing.transcribe(sound(**options))]


async def expected():
    return [(part.start, words_of(part.pcm)) async for part in split(sound())]


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
            most = max(most, len(preemption.Preemption.current()._preemptible))
            assert worker._scheduler.free > 0
            await asyncio.sleep(0)

    watching = asyncio.create_task(watch())
    assert words_in(await heard_of(ParallelTranscriber(CALLER, "", ""))) == await expected()
    assert not watching.done()
    watching.cancel()
    assert most == 2  # half of them
    await all_free(worker)


async def test_who_was_called_counts_before_it_comes(run_worker):
    await run_worker(slots=4)

    wait = preemption.Preemption.current().wait
    assert await wait("")
    assert await wait("")
    looks_once = iter([False, True]).__next__
    assert not await wait("", unless=looks_once)


async def test_words_are_placed_after_what_was_before_them(run_worker):
    await run_worker(slots=2)
    hearing = ParallelTranscriber(CALLER, "", "")
    _, heard = (await heard_of(hearing, pcm=noise(12)))[0]  # 0.96 s: two words and a half
    placed = heard.shifted(60.0, words=100, segments=7)
    assert [(word.index, word.segment, word.start, word.end) for word in placed.words] == [
        (100, 7, 60.0, 60.4),
        (101, 7, 60.4, 60.8),
        (102, 7, 60.8, 60.96),
    ]
    assert [(each.segment, each.start, each.end) for each in placed.endpoints] == [(7, 60.0, 60.96)]


async def test_whoever_wants_no_more_frees_its_slots(run_worker):
    worker = await run_worker(slots=4)
    hearing = ParallelTranscriber(CALLER, "", "")
    async with contextlib.aclosing(hearing.transcribe(sound())) as parts:
        async for _ in parts:
            break
    await all_free(worker)


@pytest.mark.slow
async def test_the_last_slot_is_left_to_who_speaks_next(run_worker):
    worker = await run_worker(slots=4)
    async with speaker(), speaker():
        while (await Link.current().engines())["checksum"].free != 2:
            await asyncio.sleep(0.01)
        listening = asyncio.create_task(heard_of(ParallelTranscriber(CALLER, "", "")))
        while not listening.done():
            assert worker._scheduler.free > 0
            await asyncio.sleep(0)
        assert words_in(await listening) == await expected()


@pytest.mark.slow
async def test_a_guest_gives_way_to_who_speaks_and_goes_on_after(run_worker):
    worker = await run_worker(slots=2)
    hearing = ParallelTranscriber(CALLER, "", "")
    listening = asyncio.create_task(heard_of(hearing))
    while not hearing.processed:
        await asyncio.sleep(0.01)
    async with speaker():
        async with asyncio.timeout(120):
            while worker._scheduler.free != 1:
                await asyncio.sleep(0.01)
        await asyncio.sleep(0.5)
        assert (worker._scheduler.free, listening.done()) == (1, False)
    assert words_in(await listening) == await expected()


@pytest.mark.slow
async def test_one_whose_sender_waits_goes_on_in_one_slot(run_worker):
    worker = await run_worker(slots=3)
    hearing = ParallelTranscriber(CALLER, "", "", is_urgent=True)
    async with speaker(), speaker():
        assert words_in(await heard_of(hearing)) == await expected()
    await all_free(worker)


@pytest.mark.slow
async def test_parts_go_on_in_other_slots_whenever_theirs_are_lost(run_worker):
    worker = await run_worker(slots=4)
    hearing = ParallelTranscriber(CALLER, "", "")
    listening = asyncio.create_task(heard_of(hearing))
    for _ in range(12):
        worker._scheduler.evict_all("a test")
        await asyncio.sleep(0.15)
    assert words_in(await listening) == await expected()
    assert hearing.slots_lost > 0


@pytest.mark.slow
async def test_it_is_told_once_which_engine_hears_it(run_worker):
    await run_worker(slots=4)
    begun = []

    async def begin(engine, language):
        begun.append((engine, language))

    hearing = ParallelTranscriber(CALLER, "", "", on_started=begin)
    await heard_of(hearing)
    assert begun == [("checksum", "en")] == [(hearing.engine, hearing.language)]


@pytest.mark.slow
async def test_one_whose_sender_waits_is_told_that_there_is_no_slot(run_worker):
    await run_worker(slots=1)
    async with speaker():
        with pytest.raises(errors.AtCapacity):
            await heard_of(ParallelTranscriber(CALLER, "", "", is_urgent=True))


@pytest.mark.slow
async def test_a_sound_that_breaks_off_is_told_after_what_came_before(run_worker):
    worker = await run_worker(slots=4)
    came = []

    async def take():
        async for part, heard in ParallelTranscriber(CALLER, "", "").transcribe(sound(error=decode.AudioError())):
            came.append((part.start, [word.text for word in heard.words]))

    with pytest.raises(decode.AudioError):
        await take()
    assert came == (await expected())[: len(came)]
    assert len(came) >= 4
    await all_free(worker)
