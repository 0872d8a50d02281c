"""The number of slots by the duration of a step, with a model that is slow in proportion to its slots."""

import gc
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from inference.engines.tts.moshi_tts import MoshiTts
from inference.engines.tts.moshi_tts.batch import Batch
from inference.engines.tts.moshi_tts.loading import load
from inference.loading import device, step_time
from inference.messages import Audio, Open, SlotLimits
from tests.inference.engines.tts.test_moshi_tts_loading import preset

pytestmark = pytest.mark.models

SlowDown = Callable[[float], list[int]]


@pytest.fixture
def slow_down(monkeypatch: pytest.MonkeyPatch) -> SlowDown:
    """`slow_down(seconds)`: a step takes so long for each slot, by a clock that nothing else moves, and half without
    audio. Returns a list that gets the sizes of all batches. The CPU appears to have four cores."""
    monkeypatch.setattr(device, "_cores", lambda: 4)
    step, start, now = Batch.step, Batch._start, 0.0
    monkeypatch.setattr(step_time, "perf_counter", lambda: now)

    def slow_down(seconds: float) -> list[int]:
        sizes: list[int] = []

        def slow(batch: Batch, slots: Any, speaking: Any, *others: Any) -> Any:
            nonlocal now
            now += seconds * batch.slots / (1 if speaking else 2)
            return step(batch, slots, speaking, *others)

        def noted(batch: Batch, *arguments: Any) -> None:
            sizes.append(batch.slots)
            start(batch, *arguments)

        monkeypatch.setattr(Batch, "step", slow)
        monkeypatch.setattr(Batch, "_start", noted)
        return sizes

    return slow_down


def test_an_engine_offers_as_many_slots_as_leave_a_reserve_in_steps_with_audio(
    tts_checkpoint: Path, slow_down: SlowDown, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="inference")
    sizes = slow_down(0.018)
    engine = load(0, preset(tts_checkpoint, quality="fast"))
    assert engine.slots == 3  # a step takes 54 ms; that of four takes 72
    assert engine.slot_limits is not None
    assert engine.slot_limits == SlotLimits(engine.slot_limits.memory, 3)
    assert engine.slot_limits.memory > 100
    assert f"memory would allow {engine.slot_limits.memory}, step time allows 3" in caplog.text
    assert "longer than an 80 ms frame" not in caplog.text
    assert sizes == [1, 4, 3, 3]
    assert speaks(engine, slot=2)


def speaks(engine: MoshiTts, slot: int) -> bool:
    engine.open(slot, Open("s", "web", 0.0, 0, "en"))
    texts = ["hello world this is a small test of the tokenizer", *[""] * 39]
    events = [event for text in texts for event in engine.step({slot: text}).get(slot, [])]
    return any(isinstance(event, Audio) for event in events)


def test_memory_of_a_batch_that_was_measured_is_freed(tts_checkpoint: Path) -> None:
    engine = load(1, preset(tts_checkpoint, quality="fast"))
    states = [weakref.ref(state) for state in engine._batch._states()]
    assert states
    gc.disable()
    try:
        engine._batch.stop()
        assert not [state for state in states if state() is not None]
    finally:
        gc.enable()


def test_a_machine_that_is_too_slow_for_one_stream_offers_one_slot_and_a_warning(
    tts_checkpoint: Path, slow_down: SlowDown, caplog: pytest.LogCaptureFixture
) -> None:
    sizes = slow_down(0.09)
    engine = load(0, preset(tts_checkpoint, quality="fast"))
    assert engine.slots == 1
    assert "longer than an 80 ms frame: speech will be interrupted" in caplog.text
    assert sizes == [1, 1]


def test_a_requested_number_of_slots_is_obeyed_with_a_warning(
    tts_checkpoint: Path, slow_down: SlowDown, caplog: pytest.LogCaptureFixture
) -> None:
    sizes = slow_down(0.045)
    engine = load(2, preset(tts_checkpoint, quality="fast"))
    assert (engine.slots, engine.slot_limits) == (2, None)
    assert "longer than an 80 ms frame: speech will be interrupted" in caplog.text
    assert sizes == [2]
