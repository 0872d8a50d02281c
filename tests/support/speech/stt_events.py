"""All that an engine tells of audio which it is given as fast as it takes it."""

import pytest

from inference.engine import SttEngine
from inference.messages import FRAME_SAMPLES, SAMPLE_RATE, Event, Open, Step, Word
from tests.support.speech.words import word_error_rate


def frames_of(samples):
    """int16 samples at 24 kHz as an engine is given them."""
    audio = samples.astype("float32") / 32768
    return [audio[start : start + FRAME_SAMPLES] for start in range(0, len(audio) - FRAME_SAMPLES + 1, FRAME_SAMPLES)]


def hear(engine: SttEngine, samples, position: int = 0) -> list[Event]:
    engine.open(0, Open("s", "web", 0.0, position, "en"))
    told = [event for frame in frames_of(samples) for event in engine.step({0: frame})[0]]
    told += engine.flush(0)
    engine.close(0)
    return told


def pick(told, kind):
    return [event for event in told if isinstance(event, kind)]


def text(told) -> str:
    return " ".join(word.text for word in pick(told, Word))


def assert_settled_holds(told) -> None:
    """From where a step says that all before is settled, no word told later begins earlier."""
    settled = 0
    for event in told:
        if isinstance(event, Step):
            settled = max(settled, event.final_until)
        elif isinstance(event, Word):
            assert event.start * SAMPLE_RATE >= settled - 1


def assert_read_well(told, spoken_text: str) -> None:
    assert word_error_rate(spoken_text, text(told)) <= 0.15
    assert text(told).startswith("In the heart of")
    assert text(told)[-1] in ".,!?"


def assert_times_ascend_within(told, samples) -> None:
    times = [time for word in pick(told, Word) for time in (word.start, word.end)]
    assert times == sorted(times)
    assert times[0] >= 0
    assert times[-1] <= len(samples) / SAMPLE_RATE


def assert_second_sentence_follows_its_pause(told, within: float) -> None:
    """The pause lasts from 6.4 to 7.1 s."""
    words = pick(told, Word)
    second = next(i for i, word in enumerate(words) if word.text.lower().startswith("unlike"))
    assert words[second - 1].end == pytest.approx(6.4, abs=within)
    assert words[second].start == pytest.approx(7.1, abs=within)
