"""How many processes an engine that has its own is given, and how many slots each."""

import pytest

from inference.engines import EngineInfo
from inference.executors.index import executors_for
from inference.executors.subprocess import SubprocessExecutor


@pytest.mark.parametrize(
    ("slots", "of_each"),
    [(1, [1]), (8, [8]), (9, [5, 4]), (32, [16, 16]), (0, [0, 0])],
)
def test_slots_are_spread_over_no_more_processes_than_the_engine_may_have(slots, of_each):
    info = EngineInfo("some", "Some", {}, "", True, default_slots=0, slots_per_subprocess=8, max_subprocesses=2)
    assert [host.slots for host in executors_for(info, slots)] == of_each


def test_an_engine_that_hears_one_stream_has_a_process_for_each():
    info = EngineInfo("some", "Some", {}, "", True, default_slots=4)
    assert [host.slots for host in executors_for(info, 3)] == [1, 1, 1]


async def test_a_process_that_finds_out_itself_tells_how_many_slots_it_has():
    host = SubprocessExecutor("moonshine", 0)
    try:
        await host.start()
        assert host.slots >= 1
    finally:
        await host.stop()
