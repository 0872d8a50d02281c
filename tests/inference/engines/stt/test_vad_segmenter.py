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
    """Reports the peak level of a window as its speech probability."""

    def __init__(self, rate):
        pass

    def reset(self):
        pass

    def process(self, window: bytes) -> float:
        return float(np.abs(np.frombuffer(window, np.float32)).max())


@pytest.fixture
def segmenter(monkeypatch):
    monkeypatch.setattr(vad_segmenter, "SileroVAD", Detector)
    return VadSegmenter()


def segments_of(segmenter, *parts: tuple[float, float]) -> list[SpeechSegment]:
    """Return the segments in consecutive parts of so many seconds at such a level."""
    audio = np.concatenate([np.full(round(seconds * 24_000), level, np.float32) for seconds, level in parts])
    audio = np.pad(audio, (0, -len(audio) % FRAME_SAMPLES))
    ended = [segment for frame in audio.reshape(-1, FRAME_SAMPLES) for segment in segmenter.process(frame)]
    return ended + segmenter.finish()


def test_a_pause_ends_a_segment(segmenter):
    first, second = segments_of(segmenter, (1, SILENCE), (2, VOICE), (1, SILENCE), (2, VOICE), (1, SILENCE))
    assert first.silence == MIN_SILENCE
    assert first.voiced == pytest.approx(windows_in(2), abs=2)
    assert second.voiced == pytest.approx(windows_in(2), abs=2)


def test_a_short_pause_does_not_end_a_segment(segmenter):
    assert len(segments_of(segmenter, (1, VOICE), (0.4, SILENCE), (1, VOICE))) == 1


def test_a_segment_begins_before_the_voice_but_after_the_previous_segment(segmenter):
    first, second = segments_of(segmenter, (1, SILENCE), (1, VOICE), (0.75, SILENCE), (1, VOICE))
    assert first.first_window == pytest.approx(windows_in(1) - PREFIX_PADDING, abs=2)
    assert first.probabilities[:PREFIX_PADDING] == [0.0] * PREFIX_PADDING
    assert second.first_window > first.first_window + PREFIX_PADDING + first.voiced


def test_a_cough_is_not_speech(segmenter):
    (cough,) = segments_of(segmenter, (1, SILENCE), (0.1, VOICE), (1, SILENCE))
    assert not cough.is_speech


def test_a_too_long_segment_is_split_at_its_quietest_window_without_loss(segmenter):
    first, second = segments_of(segmenter, (13, VOICE), (0.1, 0.6), (5, VOICE))
    assert len(first) < MAX_SPEECH
    assert len(first) == pytest.approx(windows_in(13.1), abs=4)
    assert second.first_window == first.first_window + len(first)
    assert len(first) + len(second) == pytest.approx(windows_in(18.1), abs=3)


def test_the_audio_of_a_segment_is_complete(segmenter):
    (segment,) = segments_of(segmenter, (1, VOICE))
    assert segment.audio.dtype == np.float32
    assert len(segment.audio) == len(segment) * WINDOW_SAMPLES
    assert segment.audio[1000:-2000] == pytest.approx(VOICE, abs=0.01)


def test_final_until_is_the_first_window_that_a_segment_may_contain(segmenter):
    segments_of(segmenter, (2, SILENCE))
    assert segmenter.final_until == pytest.approx(windows_in(2) - PREFIX_PADDING, abs=2)


def test_the_detector_distinguishes_speech_from_silence(sentence):
    segmenter = VadSegmenter()
    samples = sentence.samples(24_000).astype(np.float32) / 32768
    for frame in samples[: 30 * FRAME_SAMPLES].reshape(-1, FRAME_SAMPLES):
        segmenter.process(frame)
    assert segmenter.speech > 0.5
    segmenter.reset()
    segmenter.process(np.zeros(FRAME_SAMPLES, np.float32))
    assert segmenter.speech < 0.5


def test_a_callback_may_continue_a_segment_before_its_pause_ends_it(segmenter):
    def wait(segment: SpeechSegment) -> None:
        segment.min_silence_by_text = windows_in(1.5)

    segmenter.before_end = wait
    parts = (1, VOICE), (1.2, SILENCE), (1, VOICE), (2, SILENCE), (1, VOICE)
    assert [segment.voiced for segment in segments_of(segmenter, *parts)] == pytest.approx(
        [windows_in(2), windows_in(1)], abs=3
    )


def test_long_pauses_are_shortened_but_speech_padding_and_short_pauses_are_kept(segmenter):
    segmenter.min_silence = windows_in(2)
    parts = (1, SILENCE), (1, VOICE), (1.5, SILENCE), (1, VOICE), (0.5, SILENCE), (1, VOICE), (1, SILENCE)
    (segment,) = segments_of(segmenter, *parts)
    shortened = segment.audio_with_pauses(windows_in(0.4))
    seconds = 0.3 + 1 + 0.4 + 1 + 0.5 + 1 + 0.2
    assert len(shortened) / WINDOW_SAMPLES == pytest.approx(windows_in(seconds), abs=4)
    assert (shortened > 0.5).sum() == (segment.audio > 0.5).sum()
