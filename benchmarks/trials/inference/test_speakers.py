"""What takes its time of tests/inference/test_speakers.py."""

import pytest

from inference.engines import ENGINES
from tests.inference.test_speakers import SENTENCE, are_alike, engine, pitch, samples, speak, words


def test_speed_is_heard(engine):
    plain, fast = (speak(engine, SENTENCE, **controls) for controls in ({}, {"speed": 2.0}))
    assert len(samples(fast)) == pytest.approx(len(samples(plain)) / 2, rel=0.3)
    assert are_alike(speak(engine, SENTENCE), plain)  # nothing of it stays


def test_pitch_is_heard(engine, request):
    if not any(control.name == "pitch" for control in ENGINES[request.node.callspec.params["engine"]].controls):
        pytest.skip("it has none")
    plain, high = (speak(engine, SENTENCE, **controls) for controls in ({}, {"pitch": 1.4}))
    assert pitch(high) > 1.15 * pitch(plain)


def test_text_without_end_or_space_is_spoken_in_parts(engine):
    told = speak(engine, "word " * 300)
    assert len(words(told)) == 300
    assert speak(engine, "") == []
