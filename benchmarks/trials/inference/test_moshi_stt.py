"""What takes its time, or real processes that die, of tests/inference/test_moshi_stt.py."""

import numpy as np

from inference.engines.moshi_stt import MoshiStt
from tests.inference.test_moshi_stt import _steps, engine, preset_of, request, speech_like


def test_a_model_without_heads_has_silero_beside_it(stt_checkpoint_without_heads, speech):
    engine = MoshiStt(1, preset_of(stt_checkpoint_without_heads, dtype="float32"))
    engine.open(0, request(endpointing=None))
    pcm = speech.samples(24_000)[: 6 * 24_000].astype(np.float32) / 32768
    steps = _steps(engine, np.concatenate((np.zeros(24_000, np.float32), pcm, np.zeros(96_000, np.float32))))
    assert max(step.speech for step in steps[:12]) < 0.3
    assert np.mean([step.speech > 0.5 for step in steps[15:80]]) > 0.6
    assert max(step.speech for step in steps[-12:]) < 0.3
    assert engine._voice.pauses(0)[:3] == [1.0, 1.0, 1.0]
    assert all(step.pauses == [] for step in steps)


def test_int8_is_what_a_cpu_gets_by_itself(stt_checkpoint):
    engine = MoshiStt(1, preset_of(stt_checkpoint))
    engine.open(0, request())
    audio = np.frombuffer(speech_like(40, seed=2), "<i2").astype(np.float32) / 32768
    assert len(_steps(engine, audio)) == 40
