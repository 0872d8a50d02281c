"""Number of processes of an engine, and their slots."""

import pytest

from inference.engines import EngineInfo
from inference.executors.index import executors_for
from inference.executors.subprocess import SubprocessExecutor


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


async def test_a_process_that_chooses_its_number_of_slots_reports_it():
    executor = SubprocessExecutor("moonshine", 0)
    try:
        await executor.start()
        assert executor.slots >= 1
    finally:
        await executor.stop()
