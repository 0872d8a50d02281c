import numpy as np
import pytest

from inference.engines.stt import vad_segmenter
from inference.engines.stt.vad_segmenter import (
    MAX_SPEECH,
    MIN_SILENCE,
    PREFIX_PADDING,
    WINDOW_SAMPLES,
    SpeechSegment,
    VadSegmenter,
    windows_in,
)
from inference.messages import FRAME_SAMPLES

VOICE, SILENCE = 0.9, 0.1


class Detector:
    """Takes the loudness of a window for its voice."""

    def __init__(self, rate):
        pass

    def reset(self):
        pass

    def process(self, window: bytes) -> float:
        return float(np.abs(np.frombuffer(window, np.float32)).max())


@pytest.fixture
def cut(monkeypatch):
    monkeypatch.setattr(vad_segmenter, "SileroVAD", Detector)
    return VadSegmenter()


def hear(cut, *parts: tuple[float, float]) -> list[SpeechSegment]:
    """The utterances of so many seconds at such a level, one after another."""
    audio = np.concatenate([np.full(round(seconds * 24_000), level, np.float32) for seconds, level in parts])
    audio = np.pad(audio, (0, -len(audio) % FRAME_SAMPLES))
    ended = [each for frame in audio.reshape(-1, FRAME_SAMPLES) for each in cut.process(frame)]
    return ended + cut.finish()


def test_a_pause_ends_an_utterance(cut):
    first, second = hear(cut, (1, SILENCE), (2, VOICE), (1, SILENCE), (2, VOICE), (1, SILENCE))
    assert first.silence == MIN_SILENCE
    assert first.voiced == pytest.approx(windows_in(2), abs=2)
    assert second.voiced == pytest.approx(windows_in(2), abs=2)


def test_a_short_pause_does_not(cut):
    assert len(hear(cut, (1, VOICE), (0.4, SILENCE), (1, VOICE))) == 1


def test_an_utterance_begins_before_the_voice_but_not_before_the_last_one_ended(cut):
    first, second = hear(cut, (1, SILENCE), (1, VOICE), (0.75, SILENCE), (1, VOICE))
    assert first.first_window == pytest.approx(windows_in(1) - PREFIX_PADDING, abs=2)
    assert first.voice[:PREFIX_PADDING] == [0.0] * PREFIX_PADDING
    assert second.first_window > first.first_window + PREFIX_PADDING + first.voiced


def test_a_cough_is_no_speech(cut):
    (cough,) = hear(cut, (1, SILENCE), (0.1, VOICE), (1, SILENCE))
    assert not cough.is_speech


def test_one_that_gets_too_long_is_cut_at_its_most_quiet_moment_and_loses_nothing(cut):
    first, second = hear(cut, (13, VOICE), (0.1, 0.6), (5, VOICE))
    assert len(first) < MAX_SPEECH
    assert len(first) == pytest.approx(windows_in(13.1), abs=4)
    assert second.first_window == first.first_window + len(first)
    assert len(first) + len(second) == pytest.approx(windows_in(18.1), abs=3)


def test_the_audio_of_an_utterance_is_what_was_heard(cut):
    (utterance,) = hear(cut, (1, VOICE))
    assert utterance.audio.dtype == np.float32
    assert len(utterance.audio) == len(utterance) * WINDOW_SAMPLES
    assert utterance.audio[1000:-2000] == pytest.approx(VOICE, abs=0.01)


def test_what_is_unsettled_is_what_an_utterance_may_still_contain(cut):
    hear(cut, (2, SILENCE))
    assert cut.final_until == pytest.approx(windows_in(2) - PREFIX_PADDING, abs=2)


def test_the_detector_tells_voice_from_none(opening):
    cut = VadSegmenter()
    samples = opening.samples(24_000).astype(np.float32) / 32768
    for frame in samples[: 30 * FRAME_SAMPLES].reshape(-1, FRAME_SAMPLES):
        cut.process(frame)
    assert cut.speech > 0.5
    cut.begin()
    cut.process(np.zeros(FRAME_SAMPLES, np.float32))
    assert cut.speech < 0.5
