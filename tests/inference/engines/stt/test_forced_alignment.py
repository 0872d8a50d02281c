import numpy as np
import pytest

from inference.engines.stt.forced_alignment import Aligner, phones_of

RATE = 16_000


@pytest.fixture(scope="module")
def aligner():
    return Aligner()


@pytest.fixture(scope="module")
def sentence(opening):
    """6.5 s, with a pause after the fifteenth word."""
    return opening.samples(RATE)[: int(6.5 * RATE)].astype(np.float32) / 32768


TEXT = (
    "In the heart of an ancient forest, where the trees whispered secrets of the past, "
    "there lived a peculiar rabbit named Luna."
)
WORDS = TEXT.split()


def test_each_word_gets_a_span(aligner, sentence):
    spans = aligner.align(WORDS, sentence)
    times = [time for span in spans for time in (span.start, span.end)]
    assert len(spans) == len(WORDS)
    assert times == sorted(times)
    assert times[-1] <= 6.5
    assert spans[15].start - spans[14].end == pytest.approx(0.35, abs=0.15)  # the pause after "past,"


def test_a_word_missing_from_the_dictionary_does_not_shift_its_neighbors(aligner, sentence):
    known = aligner.align(WORDS, sentence)
    unknown = aligner.align([word.replace("rabbit", "rabbyt") for word in WORDS], sentence)
    for one, other in zip(known, unknown, strict=True):
        assert one.start == pytest.approx(other.start, abs=0.15)


def test_numbers_and_hyphenated_words_get_one_span(aligner, sentence):
    words = [*WORDS[:3], "twenty-five", "1999", "3,500.5", "1.2.3", *WORDS[3:]]
    assert len(aligner.align(words, sentence)) == len(words)


def test_punctuation_takes_no_time(aligner, sentence):
    spans = aligner.align([*WORDS[:4], "—", *WORDS[4:]], sentence)
    assert spans[4].start == spans[4].end == spans[3].end


def test_text_that_does_not_match_the_audio_still_gets_times(aligner):
    spans = aligner.align(["one", "fifteen", "…"], np.zeros(RATE // 20, np.float32))
    times = [time for span in spans for time in (span.start, span.end)]
    assert times == sorted(times)
    assert times[-1] == pytest.approx(0.05)


def test_an_empty_text_has_no_spans(aligner, sentence):
    assert aligner.align([], sentence) == []


@pytest.mark.parametrize(
    ("word", "phones"),
    [("shoo", "SH UW"), ("quick", "K W IH K"), ("abbot", "AE B AO T"), ("naïve", "N AE V"), ("x", "K S"), ("'", "AH")],
)
def test_phones_of_unknown_words(word, phones):
    assert " ".join(phones_of(word)) == phones
