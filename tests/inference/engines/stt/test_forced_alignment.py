import re

import numpy as np
import pytest

from inference.engines.stt.forced_alignment import Aligner, phones_of

RATE = 16_000


@pytest.fixture(scope="module")
def aligner():
    return Aligner()


@pytest.fixture(scope="module")
def audio(excerpt):
    """Two sentences with a pause between them."""
    return excerpt.samples(RATE).astype(np.float32) / 32768


@pytest.fixture(scope="module")
def words(excerpt):
    return excerpt.text.split()


def test_each_word_gets_a_span(aligner, audio, words, excerpt):
    spans = aligner.align(words, audio)
    times = [time for span in spans for time in (span.start, span.end)]
    assert len(spans) == len(words)
    assert times == sorted(times)
    assert times[-1] <= excerpt.seconds
    first, second = excerpt.sentences
    number = len(first.text.split())
    assert spans[number].start - spans[number - 1].end == pytest.approx(second.start - first.end, abs=0.15)


def test_a_word_missing_from_the_dictionary_does_not_shift_its_neighbors(aligner, audio, words):
    known = aligner.align(words, audio)
    longest = max(words, key=len)
    misspelled = re.sub("[aeiou]([^aeiou]*)$", r"y\1", longest)
    unknown = aligner.align([misspelled if word == longest else word for word in words], audio)
    for one, other in zip(known, unknown, strict=True):
        assert one.start == pytest.approx(other.start, abs=0.15)


def test_numbers_and_hyphenated_words_get_one_span(aligner, audio, words):
    words = [*words[:3], "twenty-five", "1999", "3,500.5", "1.2.3", *words[3:]]
    assert len(aligner.align(words, audio)) == len(words)


def test_punctuation_takes_no_time(aligner, audio, words):
    spans = aligner.align([*words[:4], "—", *words[4:]], audio)
    assert spans[4].start == spans[4].end == spans[3].end


def test_text_that_does_not_match_the_audio_still_gets_times(aligner):
    spans = aligner.align(["one", "fifteen", "…"], np.zeros(RATE // 20, np.float32))
    times = [time for span in spans for time in (span.start, span.end)]
    assert times == sorted(times)
    assert times[-1] == pytest.approx(0.05)


def test_an_empty_text_has_no_spans(aligner, audio):
    assert aligner.align([], audio) == []


@pytest.mark.parametrize(
    ("word", "phones"),
    [("shoo", "SH UW"), ("quick", "K W IH K"), ("abbot", "AE B AO T"), ("naïve", "N AE V"), ("x", "K S"), ("'", "AH")],
)
def test_phones_of_unknown_words(word, phones):
    assert " ".join(phones_of(word)) == phones
