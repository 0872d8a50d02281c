"""Piper's words and word times, checked by transcribing its audio with Moonshine."""

import numpy as np
import pytest

from inference.engines.stt.moonshine import Moonshine
from inference.engines.tts import piper
from inference.engines.tts.piper import Piper
from inference.engines.tts.piper_voices import VoiceFile
from inference.executors.subprocess import SubprocessExecutor
from inference.messages import SAMPLE_RATE, Open
from tests.inference.engines.tts.test_tts_engines import SENTENCE, samples, speak, words
from tests.support.speech.stt_events import text, transcribe
from tests.support.speech.words import word_error_rate


@pytest.fixture(scope="module")
def engine():
    return Piper(1)


@pytest.fixture(scope="module")
def spoken(engine):
    return speak(engine, SENTENCE)


@pytest.fixture(scope="module")
def recognized(spoken):
    return transcribe(Moonshine(1), np.pad(samples(spoken), (0, SAMPLE_RATE)))


def test_the_audio_transcribes_to_the_text(recognized):
    assert word_error_rate(SENTENCE, text(recognized)) <= 0.25


def test_word_times_match_the_audio(spoken, recognized):
    reported, transcribed = words(spoken), words(recognized)
    for mark in ("waiting", "captain", "letter"):
        one, other = (next(word for word in each if word.text == mark) for each in (reported, transcribed))
        assert one.start == pytest.approx(other.start, abs=0.3)
        assert one.end == pytest.approx(other.end, abs=0.3)


async def test_the_engine_runs_in_a_separate_process(spoken):
    executor = SubprocessExecutor("piper", 1)
    await executor.start()
    try:
        await executor.open(0, Open("s", "web", 0.0, 0, "", "", {"variation": 0.0}))
        await executor.flush(0)
        events, (more,) = [], await executor.step([{0: SENTENCE}])
        while more:
            events += more[0]
            (more,) = await executor.step([{0: ""}])
    finally:
        await executor.stop()
    assert samples(events).tobytes() == samples(spoken).tobytes()


def test_speed_shortens_the_audio(engine, spoken):
    assert len(samples(speak(engine, SENTENCE, speed=2.0))) < 0.75 * len(samples(spoken))


def test_without_variation_the_audio_is_reproducible(engine, spoken):
    assert samples(speak(engine, SENTENCE)).tobytes() == samples(spoken).tobytes()


def test_words_of_a_voice_without_phoneme_durations_are_spread_over_the_phrase(engine, spoken, monkeypatch):
    monkeypatch.setattr(piper, "_phoneme_timings", lambda chunks, rate: [])
    times = [time for word in words(speak(engine, SENTENCE)) for time in (word.start, word.end)]
    assert times == sorted(times)
    assert times[-1] == pytest.approx(len(samples(spoken)) / SAMPLE_RATE, abs=0.1)


def test_only_recently_used_voices_stay_loaded(monkeypatch):
    synthesizer = Piper(1)._synthesizer
    (file, voice) = synthesizer._loaded.popitem()
    monkeypatch.setattr(piper, "_load", lambda file: voice)
    for number in range(piper.MAX_LOADED_VOICES + 2):
        synthesizer._load(VoiceFile(file.model.with_name(f"{number}.onnx")))
    assert len(synthesizer._loaded) == piper.MAX_LOADED_VOICES
