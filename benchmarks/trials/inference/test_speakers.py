"""What takes its time, or real processes that die, of tests/inference/test_speakers.py."""

import numpy as np
import pytest

from inference.engines.pocketsphinx import PocketSphinx
from tests.inference.test_pocketsphinx import hear
from tests.inference.test_speakers import SENTENCE, are_alike, engine, flite, pitch, samples, speak, words
from tests.support.words import word_error_rate


def test_speed_and_pitch_are_heard(engine):
    plain, fast, high = (speak(engine, SENTENCE, **controls) for controls in ({}, {"speed": 2.0}, {"pitch": 1.4}))
    assert len(samples(fast)) == pytest.approx(len(samples(plain)) / 2, rel=0.25)
    assert pitch(high) > 1.15 * pitch(plain)
    assert are_alike(speak(engine, SENTENCE), plain)  # nothing of it stays


def test_text_without_end_or_space_is_spoken_in_parts(engine):
    told = speak(engine, "word " * 300)
    assert len(words(told)) == 300
    assert speak(engine, "") == []


@pytest.mark.parametrize("voice", ["slt", "rms", "awb", "kal16"])
def test_pocketsphinx_reads_flite_back(flite, voice):
    heard = words(hear(PocketSphinx(1), np.pad(samples(speak(flite, SENTENCE, voice=voice)), (12_000, 24_000))))
    assert word_error_rate(SENTENCE, " ".join(word.text for word in heard)) <= 0.15
