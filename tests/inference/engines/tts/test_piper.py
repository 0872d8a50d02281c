"""Piper says what is written, and when: its own ears are those of the site."""

import numpy as np
import pytest

from inference.engines.stt.moonshine import Moonshine
from inference.engines.tts import piper
from inference.engines.tts.piper import Piper
from inference.engines.tts.piper_voices import VoiceFile
from inference.executors.subprocess import SubprocessExecutor
from inference.messages import SAMPLE_RATE, Open
from tests.inference.engines.tts.test_tts_engines import SENTENCE, samples, speak, words
from tests.support.speech.stt_events import hear, text
from tests.support.speech.words import word_error_rate


@pytest.fixture(scope="module")
def engine():
    return Piper(1)


@pytest.fixture(scope="module")
def told(engine):
    return speak(engine, SENTENCE)


@pytest.fixture(scope="module")
def heard(told):
    return hear(Moonshine(1), np.pad(samples(told), (0, SAMPLE_RATE)))


def test_what_it_says_is_read_back(heard):
    assert word_error_rate(SENTENCE, text(heard)) <= 0.25


def test_words_are_told_when_they_are_heard(told, heard):
    said, back = words(told), words(heard)
    for mark in ("waiting", "captain", "letter"):
        one, other = (next(word for word in each if word.text == mark) for each in (said, back))
        assert one.start == pytest.approx(other.start, abs=0.3)
        assert one.end == pytest.approx(other.end, abs=0.3)


async def test_it_speaks_in_a_process_of_its_own(told):
    host = SubprocessExecutor("piper", 1)
    await host.start()
    try:
        await host.open(0, Open("s", "web", 0.0, 0, "", "", {"variation": 0.0}))
        await host.flush(0)
        events, (more,) = [], await host.step([{0: SENTENCE}])
        while more:
            events += more[0]
            (more,) = await host.step([{0: ""}])
    finally:
        await host.stop()
    assert samples(events).tobytes() == samples(told).tobytes()


def test_speed_is_heard(engine, told):
    assert len(samples(speak(engine, SENTENCE, speed=2.0))) < 0.75 * len(samples(told))


def test_without_variation_it_says_a_thing_always_alike(engine, told):
    assert samples(speak(engine, SENTENCE)).tobytes() == samples(told).tobytes()


def test_a_voice_that_tells_no_lengths_has_its_words_spread_over_the_phrase(engine, told, monkeypatch):
    monkeypatch.setattr(piper, "_phoneme_timings", lambda chunks, rate: [])
    times = [time for word in words(speak(engine, SENTENCE)) for time in (word.start, word.end)]
    assert times == sorted(times)
    assert times[-1] == pytest.approx(len(samples(told)) / SAMPLE_RATE, abs=0.1)


def test_only_the_last_few_voices_stay_in_memory(monkeypatch):
    synthesiser = Piper(1)._synthesizer
    (file, voice) = synthesiser._loaded.popitem()
    monkeypatch.setattr(piper, "_load", lambda file: voice)
    for number in range(piper.MAX_LOADED_VOICES + 2):
        synthesiser._load(VoiceFile(file.model.with_name(f"{number}.onnx")))
    assert len(synthesiser._loaded) == piper.MAX_LOADED_VOICES
