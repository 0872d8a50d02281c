from collections.abc import Sequence

import numpy as np
import pytest

from inference.engines.stt import vad_segmenter
from inference.engines.stt.segment_recognizer import Audio, Hypothesis, SegmentRecognizer, TimedWord
from inference.engines.stt.vad_segmenter import RATE
from inference.messages import FRAME_SAMPLES, SAMPLE_RATE, UNKNOWN_LANGUAGE, Endpoint, Open, Word
from tests.inference.engines.stt.test_vad_segmenter import SILENCE, VOICE, Detector
from tests.support.speech.stt_events import pick, text


class FakeRecognizer(SegmentRecognizer):
    """Returns the requested language and the duration as text, and detects French in long segments."""

    min_silence_in_files = vad_segmenter.windows_in(2)

    def recognize(self, audio: Audio, language: str) -> Hypothesis:
        seconds = len(audio) / RATE
        detected = "" if language != UNKNOWN_LANGUAGE else "fr" if seconds > 2 else "en"
        return Hypothesis(f"{language}:{seconds:.0f}s", (), detected)

    def align_words(self, hypothesis: Hypothesis, audio: Audio) -> Sequence[TimedWord]:
        return [TimedWord(hypothesis.text, 0.0, 1.0, 0.5)]

    def sample_speech(self) -> Audio:
        return np.zeros(RATE, np.float32)


@pytest.fixture
def transcribe(monkeypatch):
    """Return events for consecutive parts of so many seconds at such a level, in real time or as fast as possible."""
    monkeypatch.setattr(vad_segmenter, "SileroVAD", Detector)

    def transcribe(*parts, language=UNKNOWN_LANGUAGE, live=True):
        now = 0.0
        recognizer = FakeRecognizer(1, lambda: now)
        recognizer.open(0, Open("s", "web", 0.0, 0, language))
        audio = np.concatenate([np.full(round(seconds * SAMPLE_RATE), level, np.float32) for seconds, level in parts])
        events = []
        for start in range(0, len(audio) - FRAME_SAMPLES + 1, FRAME_SAMPLES):
            now += 0.08 if live else 0.0
            events += recognizer.step({0: audio[start : start + FRAME_SAMPLES]})[0]
        return events + recognizer.flush(0)

    return transcribe


def test_a_requested_language_is_used(transcribe):
    events = transcribe((4, VOICE), (1, SILENCE), language="de")
    assert text(events).startswith("de:")
    assert pick(events, Endpoint)[0].language == ""


def test_the_language_is_detected_for_each_segment(transcribe):
    events = transcribe((1.2, VOICE), (1, SILENCE), (4, VOICE), (1, SILENCE))
    assert [end.language for end in pick(events, Endpoint)] == ["en", "fr"]


def test_a_short_segment_gets_the_language_detected_last(transcribe):
    events = transcribe((4, VOICE), (1, SILENCE), (1, VOICE), (1, SILENCE))
    assert [word.text.partition(":")[0] for word in pick(events, Word)] == [UNKNOWN_LANGUAGE, "fr"]
    assert [end.language for end in pick(events, Endpoint)] == ["fr", "fr"]


def test_without_partials_a_segment_ends_at_a_longer_pause(transcribe):
    parts = (2, VOICE), (1, SILENCE), (4, VOICE), (1, SILENCE), (2, VOICE), (2.5, SILENCE), (1, VOICE)
    assert len(pick(transcribe(*parts), Endpoint)) == 4
    assert len(pick(transcribe(*parts, live=False), Endpoint)) == 3  # the first began before the stream was ahead


def test_a_number_at_the_end_waits_for_more_digits(transcribe, monkeypatch):
    monkeypatch.setattr(FakeRecognizer, "min_silence_in_files", vad_segmenter.MIN_SILENCE)
    monkeypatch.setattr(FakeRecognizer, "recognize", lambda self, audio, language: Hypothesis("Five, five."))
    for live in (True, False):
        parts = (1, VOICE), (1.2, SILENCE), (1, VOICE), (1.2, SILENCE), (1, VOICE), (2, SILENCE), (1, VOICE)
        assert len(pick(transcribe(*parts, live=live), Endpoint)) == 2


def test_the_model_gets_no_pause_longer_than_its_limit(transcribe, monkeypatch):
    seconds = []

    def recognize(self, audio, language):
        seconds.append(len(audio) / RATE)
        return Hypothesis("seven")

    monkeypatch.setattr(FakeRecognizer, "max_pause", vad_segmenter.windows_in(0.4))
    monkeypatch.setattr(FakeRecognizer, "recognize", recognize)
    transcribe((1, VOICE), (1.2, SILENCE), (1, VOICE), (2, SILENCE))
    assert max(seconds) == pytest.approx(1 + 0.4 + 1 + 0.2, abs=0.15)
