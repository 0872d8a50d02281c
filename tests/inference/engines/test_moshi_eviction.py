"""The rule by which all engines make room when memory runs out."""

import pytest
import torch

from inference.engines.eviction import OUT_OF_MEMORY, run_evicting

pytestmark = pytest.mark.models


@pytest.mark.parametrize(
    ("streams", "capacity", "evicted"),
    [
        (4, 4, []),
        (4, 3, [0]),
        (5, 4, [4, 0]),  # a quarter of 5, rounded up
        (9, 3, [7, 8, 0, 5, 6, 4]),  # 3 of 9, 2 of 6, 1 of 4
        (1, 0, [0]),
    ],
)
def test_the_newest_quarter_is_evicted_until_the_others_fit(streams, capacity, evicted):
    slots = dict.fromkeys([*range(1, streams), 0])  # slot 0 has the newest stream

    def step():
        if len(slots) > capacity:
            raise torch.OutOfMemoryError("no memory")
        return list(slots)

    remaining, closed = run_evicting(step, slots, slots.pop)
    assert remaining == list(slots)
    assert closed == {slot: [OUT_OF_MEMORY] for slot in evicted}
    assert list(closed) == evicted


def test_without_streams_the_error_is_raised():
    def step():
        raise torch.OutOfMemoryError("no memory")

    with pytest.raises(torch.OutOfMemoryError):
        run_evicting(step, {}, lambda slot: None)


def test_what_the_step_had_allocated_is_free_before_it_is_repeated():
    """The traceback of the error would keep it."""
    log = []

    class Activations:
        def __del__(self):
            log.append("freed")

    def step():
        activations = Activations()
        log.append("step")
        if log == ["step"]:
            raise torch.OutOfMemoryError(f"no memory for {activations}")

    run_evicting(step, {0: None}, lambda slot: log.append("closed"))
    assert log == ["step", "freed", "closed", "step", "freed"]
