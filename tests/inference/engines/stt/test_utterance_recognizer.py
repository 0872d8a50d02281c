from collections.abc import Sequence

import numpy as np
import pytest

from inference.engines.stt import vad_segmenter
from inference.engines.stt.utterance_recognizer import Audio, Hypothesis, SegmentRecognizer, TimedWord
from inference.engines.stt.vad_segmenter import RATE
from inference.messages import FRAME_SAMPLES, SAMPLE_RATE, UNKNOWN_LANGUAGE, Endpoint, Open, Word
from tests.inference.engines.stt.test_vad_segmenter import SILENCE, VOICE, Detector
from tests.support.speech.stt_events import pick, text


class Scribe(SegmentRecognizer):
    """Writes down in which language it was to read how many seconds, and takes long utterances for French."""

    min_silence_in_files = vad_segmenter.windows_in(2)

    def recognize(self, audio: Audio, language: str) -> Hypothesis:
        seconds = len(audio) / RATE
        found = "" if language != UNKNOWN_LANGUAGE else "fr" if seconds > 2 else "en"
        return Hypothesis(f"{language}:{seconds:.0f}", (), found)

    def align_words(self, reading: Hypothesis, audio: Audio) -> Sequence[TimedWord]:
        return [TimedWord(reading.text, 0.0, 1.0, 0.5)]

    def sample_speech(self) -> Audio:
        return np.zeros(RATE, np.float32)


@pytest.fixture
def hear(monkeypatch):
    """What is told of so many seconds at such a level, one after another: as they are spoken, or as fast as can be."""
    monkeypatch.setattr(vad_segmenter, "SileroVAD", Detector)

    def hear(*parts, language=UNKNOWN_LANGUAGE, live=True):
        now = 0.0
        scribe = Scribe(1, lambda: now)
        scribe.open(0, Open("s", "web", 0.0, 0, language))
        audio = np.concatenate([np.full(round(seconds * SAMPLE_RATE), level, np.float32) for seconds, level in parts])
        told = []
        for start in range(0, len(audio) - FRAME_SAMPLES + 1, FRAME_SAMPLES):
            now += 0.08 if live else 0.0
            told += scribe.step({0: audio[start : start + FRAME_SAMPLES]})[0]
        return told + scribe.flush(0)

    return hear


def test_a_language_that_was_told_is_the_one_that_is_read(hear):
    told = hear((4, VOICE), (1, SILENCE), language="de")
    assert text(told).startswith("de:")
    assert pick(told, Endpoint)[0].language == ""


def test_a_language_is_found_for_each_utterance(hear):
    told = hear((1.2, VOICE), (1, SILENCE), (4, VOICE), (1, SILENCE))
    assert [end.language for end in pick(told, Endpoint)] == ["en", "fr"]


def test_an_utterance_too_short_to_tell_is_in_the_language_that_was_heard_last(hear):
    told = hear((4, VOICE), (1, SILENCE), (1, VOICE), (1, SILENCE))
    assert [word.text.partition(":")[0] for word in pick(told, Word)] == [UNKNOWN_LANGUAGE, "fr"]
    assert [end.language for end in pick(told, Endpoint)] == ["fr", "fr"]


def test_where_nobody_reads_along_an_utterance_ends_at_a_longer_pause(hear):
    parts = (2, VOICE), (1, SILENCE), (4, VOICE), (1, SILENCE), (2, VOICE), (2.5, SILENCE), (1, VOICE)
    assert len(pick(hear(*parts), Endpoint)) == 4
    assert len(pick(hear(*parts, live=False), Endpoint)) == 3  # the first began before it was known
