"""Where the text of a stream is divided into phrases."""

import numpy as np
import pytest

from inference.engines.tts.phrase_synthesizer import (
    LOW_LATENCY_MAX_PHRASE,
    MAX_PHRASE,
    PhraseSynthesizer,
    Rendered,
)
from inference.messages import SAMPLE_RATE, Open, Voice

CLAUSE = "and the ships were waiting in the morning,"
LONG = " ".join([CLAUSE] * 12) + " at last."


class Recorder:
    """A synthesizer of silence that keeps the phrases."""

    voices = [Voice("one", "One", "en")]

    def __init__(self) -> None:
        self.phrases: list[str] = []

    def render(self, words, voice, controls):
        self.phrases.append(" ".join(words))
        yield Rendered(np.zeros(SAMPLE_RATE // 10, "<i2"), SAMPLE_RATE, [(0.0, 0.1)] * len(words))


def phrases(*texts, low_latency, is_flushed=False, max_phrase=MAX_PHRASE):
    """The phrases that are rendered once the last text has arrived."""
    recorder = Recorder()
    engine = PhraseSynthesizer(1, recorder, max_phrase)
    engine.open(0, Open("s", "web", 0.0, 0, "en", low_latency=low_latency))
    for text in texts:
        engine.step({0: text})
    if is_flushed:
        engine.flush(0)
    while engine.step({0: ""}):
        pass
    return recorder.phrases


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("Sure, that is a good question. Next", "Sure,"),
        ("Yes, it is. Next", "Yes,"),
        ("“Sure,” he said. Next", "“Sure,”"),
        ("Oh, it is. Next", "Oh, it is."),  # too short
        ("No, thank you, not today. Next", "No, thank you,"),
        ("I – well, it depends. Next", "I – well,"),
        ("That depends. Next", "That depends."),
    ],
)
def test_with_low_latency_the_first_phrase_ends_at_its_first_comma(text, first):
    assert phrases(text, low_latency=True)[0] == first


def test_with_low_latency_the_first_phrase_does_not_wait_for_what_follows():
    assert phrases("Sure, ", low_latency=True) == ["Sure,"]
    assert phrases("Sure, ", low_latency=False) == []


def test_only_the_first_phrase_ends_at_its_first_comma():
    text = "Sure, I can. First, boil water, then add an egg."
    assert phrases(text, low_latency=True) == ["Sure,", "I can.", "First, boil water, then add an egg."]
    assert phrases(text, low_latency=False) == ["Sure, I can.", "First, boil water, then add an egg."]


@pytest.mark.parametrize(
    ("low_latency", "max_phrase", "limit"),
    [
        (True, MAX_PHRASE, LOW_LATENCY_MAX_PHRASE),
        (False, MAX_PHRASE, MAX_PHRASE),
        (True, 50, 50),  # the engine's own limit is lower
        (False, 50, 50),
    ],
)
@pytest.mark.parametrize("text", [LONG, "word " * 100 + "end."])
def test_a_phrase_is_not_longer_than_its_limit(text, low_latency, max_phrase, limit):
    rendered = phrases(text, low_latency=low_latency, max_phrase=max_phrase)
    assert " ".join(rendered) == text
    assert limit / 2 < max(map(len, rendered)) <= limit


def test_a_flush_ends_a_phrase():
    for low_latency in (False, True):
        assert phrases("not", "complete", low_latency=low_latency) == []
        assert phrases("not", "complete", low_latency=low_latency, is_flushed=True) == ["not complete"]
