"""When memory runs out in a step, the newest streams lose their slots, and the speech of the others does not change.

The expected output is that of the same streams undisturbed, bit by bit: the batch has the same size.
"""

from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from inference.engines.eviction import OUT_OF_MEMORY
from inference.engines.tts.moshi_tts.batch import Batch
from inference.messages import Step
from tests.support.models.moshi_alone import SpeechOptions, Spoken, Together

pytestmark = pytest.mark.models

STREAMS = [
    SpeechOptions("the quick brown fox", voice="alba", seed=1, temperature=0.7),
    SpeechOptions("hello <0.2s> it's (25)", voice="chloé", seed=2),
    SpeechOptions("la bibliothèque", voice="stories/bruno", seed=3, temperature=0.7),
]
SILENT, SPEAKING = 6, 23
"""Steps of a stream before and after its speech begins."""
SPOKEN = 14
"""Frames that are compared."""


@pytest.fixture(scope="module")
def engine_of_all(tts_checkpoint: Path) -> Together:
    return Together(tts_checkpoint, len(STREAMS))


@pytest.fixture(scope="module")
def expected(engine_of_all: Together) -> list[Spoken]:
    """The streams undisturbed."""
    start(engine_of_all)
    while engine_of_all.step():
        pass
    return [engine_of_all.close(slot) for slot in range(len(STREAMS))]


@pytest.fixture
def together(engine_of_all: Together, expected: list[Spoken]) -> Together:
    for slot in list(engine_of_all.spoken):
        engine_of_all.close(slot)
    return engine_of_all


def start(together: Together) -> None:
    for slot, options in enumerate(STREAMS):
        together.open(slot, options)
        together.step({slot: options.text}, waiting=set(range(slot)))
    for slot in range(len(STREAMS)):
        together.flush(slot)


def run_out_of_memory(
    monkeypatch: pytest.MonkeyPatch, owner: Any, method: str, *, calls: range = range(1), after: bool = False
) -> None:
    """Raise in these calls of a method from now, before it runs or after."""
    original, numbers = getattr(owner, method), count()

    def failing(*args: Any, **options: Any) -> Any:
        fails = next(numbers) in calls
        result = original(*args, **options) if after or not fails else None
        if fails:
            raise torch.OutOfMemoryError("no memory")
        return result

    monkeypatch.setattr(owner, method, failing)


def point(together: Together, name: str) -> tuple[Any, str, dict[str, Any]]:
    model, gen = together.engine._model, together.engine._batch._gen
    return {
        "mask": (gen, "set_exec_mask", {}),
        "first layer": (model.lm.transformer.layers[0], "forward", {"after": True}),
        "last layer": (model.lm.transformer.layers[-1], "forward", {"after": True}),
        "third codebook": (model.lm.depformer, "forward", {"calls": range(2, 3)}),
        "language model": (gen, "step", {"after": True}),
        "upsampling": (model.mimi, "_to_encoder_framerate", {"after": True}),
        "decoder transformer": (model.mimi.decoder_transformer, "forward", {"after": True}),
        "middle of the decoder": (model.mimi.decoder.model[5], "forward", {"after": True}),
        "decoder": (model.mimi, "decode", {"after": True}),
    }[name]


@pytest.mark.parametrize(
    ("steps", "where"),
    [
        (SILENT, "last layer"),
        (SILENT, "language model"),
        (SPEAKING, "mask"),
        (SPEAKING, "first layer"),
        (SPEAKING, "third codebook"),
        (SPEAKING, "language model"),
        (SPEAKING, "upsampling"),
        (SPEAKING, "decoder transformer"),
        (SPEAKING, "middle of the decoder"),
        (SPEAKING, "decoder"),
    ],
)
def test_the_newest_stream_is_evicted_and_the_others_do_not_change(
    together: Together, expected: list[Spoken], monkeypatch: pytest.MonkeyPatch, steps: int, where: str
) -> None:
    start(together)
    for _ in range(steps):
        together.step()
    owner, method, options = point(together, where)
    run_out_of_memory(monkeypatch, owner, method, **options)
    together.step()
    monkeypatch.undo()
    speak_on(together)
    assert together.spoken[2].events[-1] == OUT_OF_MEMORY
    assert_unchanged(together, expected, 0, 1)


def speak_on(together: Together) -> None:
    """Continue for half a second."""
    while max(len(spoken.codes) for spoken in together.spoken.values()) < SPOKEN and together.step():
        pass


def assert_unchanged(together: Together, expected: list[Spoken], *slots: int) -> None:
    """What they have spoken so far is the same."""
    for slot in slots:
        spoken, whole = together.spoken[slot], expected[slot]
        assert len(spoken.codes) >= SPOKEN
        assert spoken.codes == whole.codes[: len(spoken.codes)]
        assert spoken.words == whole.words[: len(spoken.words)]
        assert np.array_equal(spoken.pcm, whole.pcm[: len(spoken.pcm)])
        assert len(spoken.pcm)


def test_memory_that_runs_out_again_evicts_again_in_the_same_step(
    together: Together, expected: list[Spoken], monkeypatch: pytest.MonkeyPatch
) -> None:
    start(together)
    for _ in range(SPEAKING):
        together.step()
    run_out_of_memory(monkeypatch, together.engine._model.mimi.decoder.model[5], "forward", calls=range(2))
    stepped = together.step()
    assert [together.spoken[slot].events[-1] for slot in (1, 2)] == [OUT_OF_MEMORY] * 2
    assert stepped == {0, 1, 2}
    speak_on(together)
    assert_unchanged(together, expected, 0)


def test_memory_that_runs_out_in_several_steps_evicts_one_after_the_other(
    together: Together, expected: list[Spoken], monkeypatch: pytest.MonkeyPatch
) -> None:
    start(together)
    for slot, where in ((2, "third codebook"), (1, "decoder")):
        for _ in range(SPEAKING if slot == 2 else 3):
            together.step()
        owner, method, options = point(together, where)
        run_out_of_memory(monkeypatch, owner, method, **options)
        together.step()
        monkeypatch.undo()
        assert together.spoken[slot].events[-1] == OUT_OF_MEMORY
    speak_on(together)
    assert_unchanged(together, expected, 0)


def test_if_no_stream_fits_all_are_evicted_and_the_engine_remains_usable(
    together: Together, expected: list[Spoken], monkeypatch: pytest.MonkeyPatch
) -> None:
    start(together)
    for _ in range(SPEAKING):
        together.step()
    run_out_of_memory(monkeypatch, together.engine._model.lm.depformer, "forward", calls=range(10**9))
    together.step()
    assert [spoken.events[-1] for spoken in together.spoken.values()] == [OUT_OF_MEMORY] * 3
    assert not together.step()
    monkeypatch.undo()
    for slot in range(3):
        together.close(slot)
    start(together)
    speak_on(together)
    assert_unchanged(together, expected, 0, 1, 2)


def test_a_stream_that_does_not_fit_is_evicted_before_it_begins(
    together: Together, expected: list[Spoken], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its voice needs memory too."""
    together.open(0, STREAMS[0])
    run_out_of_memory(monkeypatch, Batch, "_cross")
    together.open(1, STREAMS[1])
    together.step({0: STREAMS[0].text, 1: STREAMS[1].text})
    together.flush(0)
    speak_on(together)
    assert together.spoken[1].events == [OUT_OF_MEMORY]
    assert_unchanged(together, expected, 0)


def test_memory_that_runs_out_at_the_start_of_a_segment_evicts_too(
    together: Together, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reset of the slot needs memory; the text is not lost."""
    for slot in (0, 1):
        together.open(slot, STREAMS[1])
        together.speak(slot, "hello")
    before = len(together.spoken[0].words)
    run_out_of_memory(monkeypatch, Batch, "rewind")
    together.step({0: "hello", 1: "hello"})
    assert together.spoken[1].events[-1] == OUT_OF_MEMORY
    assert isinstance(together.spoken[0].events[-1], Step)
    together.flush(0)
    while together.step():
        pass
    assert [word.text for word in together.spoken[0].words[before:]] == ["hello"]
