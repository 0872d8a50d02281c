"""What takes its time, or real processes that die, of tests/inference/test_moshi_stt_parity.py."""

from tests.inference.test_moshi_stt_parity import Batch, assert_as_alone, checkpoint, model, noise, package


def test_it_stays_so_when_the_rings_have_gone_round(model, package):
    speeches = [noise(40, seed) for seed in range(2)]  # Mimi remembers 10 frames, the language model 24
    batch = Batch(model)
    heard = [batch.join(pcm) for pcm in speeches]
    for number in range(60):
        batch.step({0, 1} if number % 3 else {number % 2})
    assert {len(each) for each in heard} == {40}
    for pcm, each in zip(speeches, heard, strict=True):
        assert_as_alone(package, pcm, each)
