"""Every stream has the same results as alone, whatever else is in the batch and whenever frames arrive."""

import msgspec
import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inference.engines.stt.moshi_stt.model import Model
from inference.loading import presets
from inference.loading.checkpoints import Checkpoint
from tests.support.models.kyutai import FRAME, Package

pytestmark = pytest.mark.models

SLOTS = 5
TOLERANCE = 1e-4  # of probabilities, in float32
INT8_TOLERANCE = 0.05
PRESET = presets.load({})["stt-1b-en_fr"]


def noise(frames: int, seed: int) -> np.ndarray:
    """Noise of varying loudness, float32[frames * 1920]; speech would not excite random weights more."""
    rng = np.random.default_rng(seed)
    loudness = np.repeat(rng.uniform(0, 0.8, frames), FRAME)
    return (rng.standard_normal(frames * FRAME) * loudness).clip(-1, 1).astype(np.float32)


@pytest.fixture(scope="module")
def checkpoint(stt_checkpoint):
    return Checkpoint.obtain(msgspec.structs.replace(PRESET, model=str(stt_checkpoint)))


@pytest.fixture(scope="module")
def package(stt_checkpoint):
    return Package(stt_checkpoint)


@pytest.fixture(scope="module")
def model(checkpoint):
    model = Model(checkpoint.mimi("cpu"), checkpoint.lm("cpu", torch.float32), SLOTS, silence=0)
    model.warm_up()
    return model


class Batch:
    """Streams in the rows of a model: they join, pause and leave, and the rows stay dense."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.streams: list[tuple[np.ndarray, list]] = []  # by row: remaining audio, results

    def join(self, pcm: np.ndarray) -> list:
        self.model.reset_row(len(self.streams))
        results: list = []
        self.streams.append((pcm, results))
        return results

    def leave(self, row: int) -> None:
        last = self.streams.pop()
        if row < len(self.streams):
            self.model.move(len(self.streams), row)
            self.streams[row] = last

    def step(self, rows: set[int]) -> None:
        frames = {row: self.streams[row][0][:FRAME] for row in rows if len(self.streams[row][0])}
        for row, result in self.model.step(frames, len(self.streams)).items():
            pcm, results = self.streams[row]
            results.append(result)
            self.streams[row] = pcm[FRAME:], results


def assert_as_alone(package: Package, pcm: np.ndarray, results: list) -> None:
    reference = package.transcribe(pcm[: len(results) * FRAME])
    assert [result.token for result in results] == reference.tokens[1:]  # step 1 precedes the first frame
    if results:
        np.testing.assert_allclose([result.pauses for result in results], reference.pauses[1:], atol=TOLERANCE)


def scripts():
    """Actions: a stream with so many frames joins, a row leaves, or a set of rows makes a step."""
    join = st.tuples(st.just("join"), st.integers(1, 40))
    leave = st.tuples(st.just("leave"), st.integers(0, SLOTS - 1))
    steps = st.tuples(st.just("step"), st.sets(st.integers(0, SLOTS - 1), min_size=1))
    return st.lists(st.one_of(join, leave, *[steps] * 6), min_size=20, max_size=70)


@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(script=scripts(), seed=st.integers(0, 1000))
def test_every_stream_has_the_results_that_it_has_alone(model, package, script, seed):
    batch, speeches = Batch(model), []
    for number, (action, argument) in enumerate(script):
        if action == "join" and len(batch.streams) < SLOTS:
            pcm = noise(argument, seed + number)
            speeches.append((pcm, batch.join(pcm)))
        elif action == "leave" and argument < len(batch.streams):
            batch.leave(argument)
        elif action == "step":
            batch.step({row for row in argument if row < len(batch.streams)})
    for pcm, results in speeches:
        assert_as_alone(package, pcm, results)


def test_results_stay_the_same_after_the_rings_wrap_around(model, package):
    speeches = [noise(40, seed) for seed in range(2)]  # the context of Mimi is 10 frames, of the language model 24
    batch = Batch(model)
    results = [batch.join(pcm) for pcm in speeches]
    for number in range(60):
        batch.step({0, 1} if number % 3 else {number % 2})
    assert {len(each) for each in results} == {40}
    for pcm, each in zip(speeches, results, strict=True):
        assert_as_alone(package, pcm, each)


@pytest.mark.parametrize("poison", [np.nan, np.inf, -np.inf, 1e30])
def test_invalid_samples_affect_neither_other_streams_nor_the_next_in_the_row(model, package, poison):
    pcm = noise(20, seed=1)
    batch = Batch(model)
    batch.join(np.full(12 * FRAME, poison, np.float32))
    concurrent = batch.join(pcm)
    for _ in range(12):
        batch.step({0, 1})
    batch.leave(0)  # the other stream moves into its row
    after = batch.join(pcm)
    for _ in range(20):
        batch.step({0, 1})
    assert_as_alone(package, pcm, concurrent)
    assert_as_alone(package, pcm, after)


def test_the_silence_prefix_equals_processed_silence(checkpoint, package):
    model = Model(checkpoint.mimi("cpu"), checkpoint.lm("cpu", torch.float32), 2, silence=13)
    model.warm_up()
    batch, pcm = Batch(model), noise(30, seed=3)
    results = batch.join(pcm)
    for _ in range(30):
        batch.step({0})
    reference = package.transcribe(np.concatenate((np.zeros(13 * FRAME, np.float32), pcm)))
    assert [result.token for result in results] == reference.tokens[14:]


def test_with_int8_weights_every_stream_has_the_results_that_it_has_alone(checkpoint, package):
    """They are nearly those of the exact weights."""
    model = Model(checkpoint.mimi("cpu"), checkpoint.lm("cpu", torch.bfloat16), 3, silence=2, int8=True)
    model.warm_up()
    speeches = [noise(15, seed) * loudness for seed, loudness in enumerate((1, 0.01, 0.3))]
    alone = []
    for pcm in speeches:
        batch = Batch(model)
        alone.append(batch.join(pcm))
        for _ in range(15):
            batch.step({0})
    batch = Batch(model)
    together = [batch.join(pcm) for pcm in speeches]
    for number in range(30):
        batch.step({0, 1, 2} if number % 2 else {number % 3, 2})
    silence = np.zeros(2 * FRAME, np.float32)
    exact = package.transcribe(np.concatenate((silence, speeches[0][: 5 * FRAME]))).pauses[3:]
    assert [[result.token for result in results] for results in together] == [
        [result.token for result in results] for results in alone
    ]
    for ours, expected in ((together[0], [result.pauses for result in alone[0]]), (alone[0][:5], exact)):
        np.testing.assert_allclose([result.pauses for result in ours], expected, atol=INT8_TOLERANCE)


def test_a_step_that_ran_out_of_memory_can_be_repeated(model, package, monkeypatch):
    """Memory runs out in the middle of the language model; Mimi, which has processed the frame, is reset."""
    batch = Batch(model)
    pcm = noise(1, seed=5)
    results = batch.join(pcm)
    last = model._lm.transformer.layers[-1]
    monkeypatch.setattr(last, "forward", _out_of_memory)
    with pytest.raises(torch.OutOfMemoryError):
        batch.step({0})
    monkeypatch.undo()
    model.recover([0])
    batch.step({0})
    assert_as_alone(package, pcm, results)


def _out_of_memory(*_, **__):
    raise torch.OutOfMemoryError("no memory")


def test_sampling_follows_the_probabilities(checkpoint):
    model = Model(checkpoint.mimi("cpu"), checkpoint.lm("cpu", torch.float32), 1, silence=0, temperature=1.0)
    torch.manual_seed(0)
    logits = torch.tensor([0.5, 0.3, 0.2]).log().expand(30_000, -1)
    frequencies = torch.bincount(model._sample(logits)) / 30_000
    torch.testing.assert_close(frequencies, torch.tensor([0.5, 0.3, 0.2]), atol=0.02, rtol=0)
