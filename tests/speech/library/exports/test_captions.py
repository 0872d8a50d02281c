"""Captions keep the reading rules, whatever is said, and neither lose nor move a word."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from speech.library.exports.formats.captions import (
    CHARACTERS_PER_SECOND,
    LINE,
    MAX_LINGER,
    MIN_DURATION,
    PAUSE,
    Caption,
    captions,
)
from speech.models import TimedWord
from tests.speech.library.exports.transcripts import Utterance, conversation, hour, said, spoken

SLACK = 0.001  # seconds; floating point


@st.composite
def talks(draw: st.DrawFn) -> list[Utterance]:
    at, utterances = 0.0, []
    for size in draw(st.lists(st.integers(1, 40), max_size=5)):
        words = []
        for _ in range(size):
            text = draw(st.text("abcdefgh,.?", min_size=1, max_size=60))
            at += draw(st.floats(0, 2))
            end = at + draw(st.floats(0, 1))
            words.append(TimedWord(text, at, end, None))
            at = end
        utterances.append(said(words))
    return utterances


def words_in(shown: list[Caption]) -> str:
    return "".join(token.text for caption in shown for line in caption.lines for token in line)


@settings(max_examples=150, deadline=None)
@given(talks())
def test_whatever_is_said(talk):
    shown = list(captions(talk))
    assert words_in(shown) == "".join(word.text for utterance in talk for word in utterance.words)
    for caption in shown:
        assert 1 <= len(caption.lines) <= 2
        assert all(len(" ".join(token.text for token in line)) <= LINE for line in caption.lines)
        first = caption.lines[0][0].start
        assert caption.end > caption.start >= first
        assert caption.start - first <= MAX_LINGER + MIN_DURATION * len(shown)
    for one, next_one in pairwise(shown):
        assert one.end <= next_one.start


@pytest.mark.parametrize("talk", [conversation(), hour()], ids=["conversation", "hour"])
def test_what_is_said_no_faster_than_it_can_be_read_is_shown_long_enough(talk):
    for caption in captions(talk):
        assert len(caption.text) / (caption.end - caption.start) <= CHARACTERS_PER_SECOND + SLACK


def test_a_caption_ends_where_the_speaker_pauses():
    before, after = spoken("I thought about it"), spoken("and then I went home", 4 * 0.4 + PAUSE)
    shown = list(captions([said([*before.words, *after.words])]))
    assert [caption.text for caption in shown] == ["I thought about it", "and then I went home"]


def test_a_caption_rather_ends_with_a_sentence_than_within_one():
    text = "The gate was open when we came to the house. Nobody had seen it, and the dog was still asleep by the door."
    shown = list(captions([spoken(text)]))
    assert shown[0].text.replace("\n", " ") == "The gate was open when we came to the house."


def test_two_lines_are_of_about_one_length():
    (caption,) = captions([spoken("the quick brown fox jumps over the lazy dog and sleeps")])
    first, second = caption.text.split("\n")
    assert abs(len(first) - len(second)) <= 8


def test_fast_speech_may_stand_into_the_next_ones_words_and_no_longer():
    shown = list(captions([spoken("incomprehensibilities " * 12, pace=0.5)]))
    assert len(shown) > 3
    for caption in shown:
        assert caption.start - caption.lines[0][0].start <= MAX_LINGER + SLACK


def test_a_name_stands_before_what_its_bearer_begins_to_say():
    talk = [spoken("One.", 0, speaker="Ada"), spoken("Two.", 2, speaker="Ada"), spoken("Three.", 4, speaker="Grace")]
    assert [caption.text for caption in captions(talk, named=True)] == ["Ada: One.", "Two.", "Grace: Three."]


def test_corrected_words_are_shown_between_their_neighbours():
    words = [TimedWord("kept", 1.0, 1.3, 0.9), TimedWord("two", 1.4, 2.0, None), TimedWord("for", 1.4, 2.0, None)]
    talk = [said([*words, TimedWord("written", None, None, None), TimedWord("again", 2.5, 2.8, 0.9)])]
    (caption,) = captions(talk)
    times = [(token.text, round(token.start, 3), round(token.end, 3)) for token in caption.lines[0]]
    assert times == [("kept", 1, 1.3), ("two", 1.4, 1.7), ("for", 1.7, 2), ("written", 2, 2), ("again", 2.5, 2.8)]
