"""Whoever else is in the batch, and whenever its frames come: every stream hears what it hears alone."""

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

pytestmark = pytest.mark.slow

SLOTS = 5
TOLERANCE = 1e-4  # of probabilities, in float32
PRESET = presets.load({})["stt-1b-en_fr"]


def noise(frames: int, seed: int) -> np.ndarray:
    """float32[frames * 1920] that changes its colour: speech would not excite random weights more."""
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
    """Streams in the rows of a model: they come, pause and go, and the rows stay dense."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.streams: list[tuple[np.ndarray, list]] = []  # by row: the audio to come, and what was heard

    def join(self, pcm: np.ndarray) -> list:
        self.model.begin(len(self.streams))
        heard: list = []
        self.streams.append((pcm, heard))
        return heard

    def leave(self, row: int) -> None:
        last = self.streams.pop()
        if row < len(self.streams):
            self.model.move(len(self.streams), row)
            self.streams[row] = last

    def step(self, rows: set[int]) -> None:
        frames = {row: self.streams[row][0][:FRAME] for row in rows if len(self.streams[row][0])}
        for row, heard in self.model.step(frames, len(self.streams)).items():
            pcm, all_heard = self.streams[row]
            all_heard.append(heard)
            self.streams[row] = pcm[FRAME:], all_heard


def assert_as_alone(package: Package, pcm: np.ndarray, heard: list) -> None:
    alone = package.hear(pcm[: len(heard) * FRAME])
    assert [each.token for each in heard] == alone.tokens[1:]  # step 1 is taken before the first frame
    if heard:
        np.testing.assert_allclose([each.pauses for each in heard], alone.pauses[1:], atol=TOLERANCE)


def scripts():
    """What happens at each step: who joins with how long a speech, who leaves, and who has a frame."""
    join = st.tuples(st.just("join"), st.integers(1, 40))
    leave = st.tuples(st.just("leave"), st.integers(0, SLOTS - 1))
    steps = st.tuples(st.just("step"), st.sets(st.integers(0, SLOTS - 1), min_size=1))
    return st.lists(st.one_of(join, leave, *[steps] * 6), min_size=20, max_size=70)


@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(script=scripts(), seed=st.integers(0, 1000))
def test_every_stream_hears_what_it_hears_alone(model, package, script, seed):
    batch, speeches = Batch(model), []
    for number, (what, argument) in enumerate(script):
        if what == "join" and len(batch.streams) < SLOTS:
            pcm = noise(argument, seed + number)
            speeches.append((pcm, batch.join(pcm)))
        elif what == "leave" and argument < len(batch.streams):
            batch.leave(argument)
        elif what == "step":
            batch.step({row for row in argument if row < len(batch.streams)})
    for pcm, heard in speeches:
        assert_as_alone(package, pcm, heard)


def test_it_stays_so_when_the_rings_have_gone_round(model, package):
    speeches = [noise(40, seed) for seed in range(2)]  # Mimi remembers 10 frames, the language model 24
    batch = Batch(model)
    heard = [batch.join(pcm) for pcm in speeches]
    for number in range(60):
        batch.step({0, 1} if number % 3 else {number % 2})
    assert {len(each) for each in heard} == {40}
    for pcm, each in zip(speeches, heard, strict=True):
        assert_as_alone(package, pcm, each)


@pytest.mark.parametrize("poison", [np.nan, np.inf, -np.inf, 1e30])
def test_what_is_no_sound_harms_nobody_and_not_whoever_has_the_row_next(model, package, poison):
    pcm = noise(20, seed=1)
    batch = Batch(model)
    batch.join(np.full(12 * FRAME, poison, np.float32))
    beside = batch.join(pcm)
    for _ in range(12):
        batch.step({0, 1})
    batch.leave(0)  # the other moves into its row
    after = batch.join(pcm)
    for _ in range(20):
        batch.step({0, 1})
    assert_as_alone(package, pcm, beside)
    assert_as_alone(package, pcm, after)


def test_silence_before_a_stream_is_as_if_it_had_been_heard(checkpoint, package):
    model = Model(checkpoint.mimi("cpu"), checkpoint.lm("cpu", torch.float32), 2, silence=13)
    model.warm_up()
    batch, pcm = Batch(model), noise(30, seed=3)
    heard = batch.join(pcm)
    for _ in range(30):
        batch.step({0})
    alone = package.hear(np.concatenate((np.zeros(13 * FRAME, np.float32), pcm)))
    assert [each.token for each in heard] == alone.tokens[14:]


def test_a_step_that_runs_out_of_memory_is_taken_again_as_if_nothing_had_been(model, package, monkeypatch):
    """In the language model, half way through its layers; Mimi, which had heard the frame, begins afresh."""
    batch = Batch(model)
    pcm = noise(1, seed=5)
    heard = batch.join(pcm)
    last = model._lm.transformer.layers[-1]
    monkeypatch.setattr(last, "forward", _out_of_memory)
    with pytest.raises(torch.OutOfMemoryError):
        batch.step({0})
    monkeypatch.undo()
    model.recover([0])
    batch.step({0})
    assert_as_alone(package, pcm, heard)


def _out_of_memory(*_, **__):
    raise torch.OutOfMemoryError("no memory")


def test_a_choice_at_random_follows_the_chances(checkpoint):
    model = Model(checkpoint.mimi("cpu"), checkpoint.lm("cpu", torch.float32), 1, silence=0, temperature=1.0)
    torch.manual_seed(0)
    logits = torch.tensor([0.5, 0.3, 0.2]).log().expand(30_000, -1)
    chosen = torch.bincount(model._choose(logits)) / 30_000
    torch.testing.assert_close(chosen, torch.tensor([0.5, 0.3, 0.2]), atol=0.02, rtol=0)
