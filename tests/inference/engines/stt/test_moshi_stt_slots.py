"""The number of slots by the duration of a step, with a model that is slow in proportion to its rows."""

import msgspec
import numpy as np
import pytest
import torch

from inference.engines import registry
from inference.engines.stt.moshi_stt import MoshiStt
from inference.engines.stt.moshi_stt.model import Model
from inference.loading import device, step_time
from inference.loading.checkpoints import Checkpoint
from inference.messages import FRAME_SAMPLES, SlotLimits

pytestmark = pytest.mark.models

FRAMES = 6


@pytest.fixture
def slow_down(monkeypatch):
    """`slow_down(seconds)`: a step takes so long for each row, by a clock that nothing else moves: the load of the
    machine doesn't matter. The CPU appears to have four cores."""
    monkeypatch.setattr(device, "_cores", lambda: 4)
    compute, now = Model._compute, 0.0
    monkeypatch.setattr(step_time, "perf_counter", lambda: now)

    def slow_down(seconds: float) -> None:
        def slow(model: Model, size: int) -> None:
            nonlocal now
            now += seconds * size
            compute(model, size)

        monkeypatch.setattr(Model, "_compute", slow)

    return slow_down


@pytest.fixture
def preset(stt_checkpoint):
    original = registry.ENGINES["stt-1b-en_fr"].preset
    changes = {"device": "cpu", "dtype": "float32", "params_billions": 0.001, "slot_mb": 1}
    return msgspec.structs.replace(original, model=str(stt_checkpoint), **changes)


def test_an_engine_offers_as_many_slots_as_leave_a_reserve(preset, slow_down, caplog):
    caplog.set_level("INFO", logger="inference")
    slow_down(0.018)
    engine = MoshiStt(0, preset)
    assert engine.slots == 3  # a step takes 54 ms; that of four takes 72
    assert engine.slot_limits == SlotLimits(engine.slot_limits.memory, 3)
    assert engine.slot_limits.memory > 100
    assert f"memory would allow {engine.slot_limits.memory}, step time allows 3" in caplog.text
    assert engine._model.step_seconds == pytest.approx(0.054)
    assert "longer than an 80 ms frame" not in caplog.text
    rows = {tensor.shape[dim] for state in states(engine._model) for tensor, dim in state._tensors}
    assert rows == {engine.slots + 1}


def states(model):
    return model._mimi_state, model._lm_state


def test_a_machine_that_is_too_slow_for_one_stream_offers_one_slot_and_a_warning(preset, slow_down, caplog):
    slow_down(0.09)
    engine = MoshiStt(0, preset)
    assert (engine.slots, engine.slot_limits.time) == (1, 1)
    assert "longer than an 80 ms frame" in caplog.text


def test_a_requested_number_of_slots_is_obeyed_with_a_warning(preset, slow_down, caplog):
    slow_down(0.045)
    engine = MoshiStt(2, preset)
    assert (engine.slots, engine.slot_limits) == (2, None)
    assert "longer than an 80 ms frame" in caplog.text


def test_measured_rows_and_those_that_are_kept_give_the_results_of_a_model_that_always_had_them(preset):
    checkpoint = Checkpoint.obtain(preset)
    frames = np.random.default_rng(1).standard_normal((2, FRAMES, FRAME_SAMPLES)).astype(np.float32) / 4

    def results(slots: int, keep: int, int8: bool):
        model = Model(checkpoint.mimi("cpu"), checkpoint.lm("cpu", torch.float32), slots, silence=2, int8=int8)
        model._measure_step(slots)
        if keep < slots:
            model._shrink(keep)
        model.warm_up()
        for row in range(2):
            model.reset_row(row)
        return [model.step({row: frames[row][index] for row in range(2)}, 2) for index in range(FRAMES)]

    for int8 in (False, True):
        assert results(2, 2, int8) == results(5, 3, int8)


def test_memory_of_slots_that_are_left_out_is_freed(preset):
    checkpoint = Checkpoint.obtain(preset)
    model = Model(checkpoint.mimi("cpu"), checkpoint.lm("cpu", torch.float32), 9, silence=0)
    model._measure_step(9)
    before = allocated(model)
    model._shrink(4)
    assert allocated(model) == pytest.approx(before / 2, rel=0.02)


def allocated(model):
    """Bytes of the storage behind the state, which a view would share with all rows."""
    storages = {
        tensor.untyped_storage().data_ptr(): tensor.untyped_storage().nbytes()
        for state in states(model)
        for tensor, _ in state._tensors
    }
    return sum(storages.values())
