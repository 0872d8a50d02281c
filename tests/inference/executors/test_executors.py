"""Where an engine runs: the number of its processes, their slots, and the calls."""

import numpy as np
import pytest

from inference.engine import EngineLost
from inference.engines.registry import EngineInfo
from inference.executors.index import executors_for
from inference.executors.inline import InlineExecutor
from inference.executors.subprocess import SubprocessExecutor
from inference.executors.thread import ThreadExecutor
from inference.messages import Open, Step, Word
from tests.support.speech.checksum_audio import noise, words_of


@pytest.mark.parametrize(
    ("slots", "slots_per_process"),
    [(1, [1]), (8, [8]), (9, [5, 4]), (32, [16, 16]), (0, [0, 0])],
)
def test_slots_are_spread_over_at_most_the_maximum_of_processes(slots, slots_per_process):
    info = EngineInfo("some", "Some", {}, "", True, default_slots=0, slots_per_subprocess=8, max_subprocesses=2)
    assert [executor.slots for executor in executors_for(info, slots)] == slots_per_process


def test_an_engine_with_one_slot_per_process_has_a_process_for_each():
    info = EngineInfo("some", "Some", {}, "", True, default_slots=4)
    assert [executor.slots for executor in executors_for(info, 3)] == [1, 1, 1]


async def test_a_process_that_chooses_its_number_of_slots_reports_it_and_measures_it_again():
    executor = SubprocessExecutor("moonshine", 0)
    try:
        await executor.start()
        assert executor.slots >= 1
        assert executor.measures_capacity
        assert await executor.measure_capacity() >= 1
    finally:
        await executor.stop()


@pytest.mark.parametrize("executor_class", [InlineExecutor, ThreadExecutor, SubprocessExecutor])
async def test_an_executor_makes_steps_in_order_and_returns_the_events(executor_class):
    pcm = noise(7)
    frames = (np.frombuffer(pcm, "<i2").astype(np.float32) / 32768).reshape(7, -1)
    executor = executor_class("checksum", 2)
    try:
        await executor.start()
        await executor.open(1, Open("s", "web", 0.0, 0, "en"))
        outputs = await executor.step([{1: frame} for frame in frames])
        rest = await executor.flush(1)
        await executor.close(1)
    finally:
        await executor.stop()
    events = [event for output in outputs for event in output[1]]
    assert [event.sample for event in events if isinstance(event, Step)] == [1920 * i for i in range(1, 8)]
    assert [event.text for event in [*events, *rest] if isinstance(event, Word)] == words_of(pcm)


@pytest.mark.parametrize("executor_class", [InlineExecutor, ThreadExecutor, SubprocessExecutor])
async def test_an_engine_that_fails_is_lost(executor_class):
    executor = executor_class("checksum", 1)
    try:
        await executor.start()
        with pytest.raises(EngineLost):
            await executor.step([{0: np.zeros(1920, np.float32)}])  # the slot is not open
    finally:
        await executor.stop()


async def test_a_process_that_sends_an_invalid_reply_is_lost(monkeypatch):
    executor = SubprocessExecutor("checksum", 1)

    async def read_reply(seconds: float) -> bytes:
        return b"not a reply"

    try:
        await executor.start()
        monkeypatch.setattr(executor, "_read_reply", read_reply)
        with pytest.raises(EngineLost, match="invalid reply"):
            await executor.flush(0)
    finally:
        await executor.stop()
