"""Events of a speech-to-text engine for audio that it receives as fast as it accepts it."""

import pytest

from inference.engine import SttEngine
from inference.messages import FRAME_SAMPLES, SAMPLE_RATE, Event, Open, Step, Word
from tests.support.speech.words import word_error_rate


def frames_of(samples):
    """Split int16 samples at 24 kHz into the frames that an engine receives."""
    audio = samples.astype("float32") / 32768
    return [audio[start : start + FRAME_SAMPLES] for start in range(0, len(audio) - FRAME_SAMPLES + 1, FRAME_SAMPLES)]


def transcribe(engine: SttEngine, samples, position: int = 0, language: str = "en") -> list[Event]:
    engine.open(0, Open("s", "web", 0.0, position, language))
    events = [event for frame in frames_of(samples) for event in engine.step({0: frame})[0]]
    events += engine.flush(0)
    engine.close(0)
    return events


def pick(events, kind):
    return [event for event in events if isinstance(event, kind)]


def text(events) -> str:
    return " ".join(word.text for word in pick(events, Word))


def assert_final_until_holds(events) -> None:
    """No word begins before the `final_until` of an earlier step."""
    final_until = 0
    for event in events:
        if isinstance(event, Step):
            final_until = max(final_until, event.final_until)
        elif isinstance(event, Word):
            assert event.start * SAMPLE_RATE >= final_until - 1


def assert_transcribed_well(events, reference: str) -> None:
    assert word_error_rate(reference, text(events)) <= 0.15
    assert text(events).startswith("In the heart of")
    assert text(events)[-1] in ".,!?"


def assert_times_ascend_within(events, samples) -> None:
    times = [time for word in pick(events, Word) for time in (word.start, word.end)]
    assert times == sorted(times)
    assert times[0] >= 0
    assert times[-1] <= len(samples) / SAMPLE_RATE


def assert_second_sentence_follows_its_pause(events, within: float) -> None:
    """The pause lasts from 6.4 to 7.1 s."""
    words = pick(events, Word)
    second = next(i for i, word in enumerate(words) if word.text.lower().startswith("unlike"))
    assert words[second - 1].end == pytest.approx(6.4, abs=within)
    assert words[second].start == pytest.approx(7.1, abs=within)
