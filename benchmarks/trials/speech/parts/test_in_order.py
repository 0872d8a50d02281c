"""What takes its time, or real processes that die, of tests/speech/parts/test_in_order.py."""

import asyncio

import pytest

from speech import decoding, errors
from speech.link import Link
from speech.parts.in_order import InOrder
from tests.speech.parts.test_in_order import (
    CALLER,
    all_free,
    expected,
    heard_of,
    layer,
    run_worker,
    sound,
    speaker,
    words_in,
)


async def test_the_last_slot_is_left_to_who_speaks_next(run_worker):
    worker = await run_worker(slots=4)
    async with speaker(), speaker():
        while (await Link.current().engines())["checksum"].free != 2:
            await asyncio.sleep(0.01)
        listening = asyncio.create_task(heard_of(InOrder(CALLER, "", "")))
        while not listening.done():
            assert worker._scheduler.free > 0
            await asyncio.sleep(0)
        assert words_in(await listening) == await expected()


async def test_a_guest_gives_way_to_who_speaks_and_goes_on_after(run_worker):
    worker = await run_worker(slots=2)
    hearing = InOrder(CALLER, "", "")
    listening = asyncio.create_task(heard_of(hearing))
    while not hearing.heard:
        await asyncio.sleep(0.01)
    async with speaker():
        async with asyncio.timeout(120):
            while worker._scheduler.free != 1:
                await asyncio.sleep(0.01)
        await asyncio.sleep(0.5)
        assert (worker._scheduler.free, listening.done()) == (1, False)
    assert words_in(await listening) == await expected()


async def test_one_whose_sender_waits_goes_on_in_one_slot(run_worker):
    worker = await run_worker(slots=3)
    hearing = InOrder(CALLER, "", "", comes_first=True)
    async with speaker(), speaker():
        assert words_in(await heard_of(hearing)) == await expected()
    await all_free(worker)


async def test_parts_go_on_in_other_slots_whenever_theirs_are_lost(run_worker):
    worker = await run_worker(slots=4)
    hearing = InOrder(CALLER, "", "")
    listening = asyncio.create_task(heard_of(hearing))
    for _ in range(12):
        worker._scheduler.give_up_all("a test")
        await asyncio.sleep(0.15)
    assert words_in(await listening) == await expected()
    assert hearing.slots_lost > 0


async def test_it_is_told_once_which_engine_hears_it(run_worker):
    await run_worker(slots=4)
    begun = []

    async def begin(engine, language):
        begun.append((engine, language))

    hearing = InOrder(CALLER, "", "", begun=begin)
    await heard_of(hearing)
    assert begun == [("checksum", "en")] == [(hearing.engine, hearing.language)]


async def test_one_whose_sender_waits_is_told_that_there_is_no_slot(run_worker):
    await run_worker(slots=1)
    async with speaker():
        with pytest.raises(errors.AtCapacity):
            await heard_of(InOrder(CALLER, "", "", comes_first=True))


async def test_a_sound_that_breaks_off_is_told_after_what_came_before(run_worker):
    worker = await run_worker(slots=4)
    came = []

    async def take():
        async for part, heard in InOrder(CALLER, "", "").parts(sound(error=decoding.BadAudio())):
            came.append((part.start, [word.text for word in heard.words]))

    with pytest.raises(decoding.BadAudio):
        await take()
    assert came == (await expected())[: len(came)]
    assert len(came) >= 4
    await all_free(worker)
