"""Events of a speech-to-text engine for audio that it receives as fast as it accepts it."""

import pytest

from inference.engine import SttEngine
from inference.messages import FRAME_SAMPLES, SAMPLE_RATE, Event, Open, Step, Word
from tests.support.speech.audio import Recording
from tests.support.speech.words import normalize, word_error_rate


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


def first_words(recording: Recording) -> str:
    return " ".join(normalize(recording.text).split()[:3])


def last_words(recording: Recording) -> str:
    return " ".join(normalize(recording.text).split()[-2:])


def assert_transcribed_well(events, recording: Recording) -> None:
    assert word_error_rate(recording.text, text(events)) <= 0.15
    assert normalize(text(events)).startswith(first_words(recording))
    assert text(events)[0].isupper()
    assert text(events)[-1] in ".,!?"


def assert_times_ascend_within(events, samples) -> None:
    times = [time for word in pick(events, Word) for time in (word.start, word.end)]
    assert times == sorted(times)
    assert times[0] >= 0
    assert times[-1] <= len(samples) / SAMPLE_RATE


def assert_second_sentence_follows_its_pause(events, recording: Recording, within: float) -> None:
    words = pick(events, Word)
    first, second = recording.sentences
    number = len(first.text.split())
    assert words[number - 1].end == pytest.approx(first.end, abs=within)
    assert words[number].start == pytest.approx(second.start, abs=within)
