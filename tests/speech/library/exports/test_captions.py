"""Captions follow the reading rules for any speech, and neither lose nor move a word."""

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from speech.library.exports.formats.captions import (
    COLUMNS_PER_SECOND,
    MAX_LINGER,
    MIN_DURATION,
    Caption,
    captions,
)
from speech.library.exports.formats.phrases import MAX_LINE, MIN_PAUSE, columns
from speech.models import TimedWord
from tests.speech.library.exports.transcripts import Segment, conversation, hour, segment_of, spoken

SLACK = 0.001  # seconds; floating point


@st.composite
def talks(draw: st.DrawFn) -> list[Segment]:
    at, segments = 0.0, []
    for size in draw(st.lists(st.integers(1, 40), max_size=5)):
        words = []
        for _ in range(size):
            text = draw(st.text("abcdefgh,.?", min_size=1, max_size=60))
            at += draw(st.floats(0, 2))
            end = at + draw(st.floats(0, 1))
            words.append(TimedWord(text, at, end, None))
            at = end
        segments.append(segment_of(words))
    return segments


def text_of(shown: list[Caption]) -> str:
    return "".join(token.text for caption in shown for line in caption.lines for token in line)


@settings(max_examples=60, deadline=None)
@given(talks())
def test_captions_of_any_speech_are_readable_and_complete(talk):
    shown = list(captions(talk))
    assert text_of(shown) == "".join(word.text for segment in talk for word in segment.words)
    for caption in shown:
        assert 1 <= len(caption.lines) <= 2
        assert all(len(" ".join(token.text for token in line)) <= MAX_LINE for line in caption.lines)
        first = caption.lines[0][0].start
        assert caption.end > caption.start >= first
        assert caption.start - first <= MAX_LINGER + MIN_DURATION * len(shown)
    for one, next_one in pairwise(shown):
        assert one.end <= next_one.start


@pytest.mark.parametrize("talk", [conversation(), hour()], ids=["conversation", "hour"])
def test_speech_at_reading_speed_is_shown_long_enough(talk):
    for caption in captions(talk):
        assert columns(caption.text) / (caption.end - caption.start) <= COLUMNS_PER_SECOND + SLACK


def test_a_caption_ends_where_the_speaker_pauses():
    before, after = spoken("I thought about it"), spoken("and then I went home", 4 * 0.4 + MIN_PAUSE)
    shown = list(captions([segment_of([*before.words, *after.words])]))
    assert [caption.text for caption in shown] == ["I thought about it", "and then I went home"]


def test_captions_prefer_to_end_with_a_sentence():
    text = "The gate was open when we came to the house. No one had seen it, and the dog was still asleep by the door."
    shown = list(captions([spoken(text)]))
    assert shown[0].text.replace("\n", " ") == "The gate was open when we came to the house."


def test_two_lines_have_similar_lengths():
    (caption,) = captions([spoken("the quick brown fox jumps over the lazy dog and sleeps")])
    first, second = caption.text.split("\n")
    assert abs(len(first) - len(second)) <= 8


def test_fast_speech_delays_the_next_caption_by_at_most_the_limit():
    shown = list(captions([spoken("incomprehensibilities " * 12, pace=0.5)]))
    assert len(shown) > 3
    for caption in shown:
        assert caption.start - caption.lines[0][0].start <= MAX_LINGER + SLACK


def test_a_speakers_name_is_shown_when_the_speaker_changes():
    talk = [spoken("One.", 0, speaker="Ada"), spoken("Two.", 2, speaker="Ada"), spoken("Three.", 4, speaker="Grace")]
    assert [caption.text for caption in captions(talk, named=True)] == ["Ada: One.", "Two.", "Grace: Three."]


def test_an_interruption_is_shown_between_the_words_that_it_interrupts():
    reply = spoken("It is sunny and warm in Paris today but the evening will be cold.", 0, speaker="Assistant")
    talk = [reply, spoken("Stop.", 2.3, speaker="User")]
    shown = list(captions(talk, named=True))
    assert [caption.text.replace("\n", " ") for caption in shown] == [
        "Assistant: It is sunny and warm in",
        "User: Stop.",
        "Assistant: Paris today but the evening will be cold.",
    ]
    assert all(one.end <= next_one.start for one, next_one in pairwise(shown))
    assert all(caption.start - caption.lines[0][0].start <= MAX_LINGER + SLACK for caption in shown)


def test_a_phrase_after_an_interruption_is_shown_in_its_own_time():
    """The assistant paused while the user spoke, and then continued."""
    before, after = spoken("First of all,", 0), spoken("as I said, it is late.", 4)
    talk = [segment_of([*before.words, *after.words], "Assistant"), spoken("Mhm.", 2, speaker="User")]
    assert [(caption.speaker, round(caption.start)) for caption in captions(talk)] == [
        ("Assistant", 0),
        ("User", 2),
        ("Assistant", 4),
    ]


@settings(max_examples=30, deadline=None)
@given(talks(), talks())
def test_captions_of_two_who_talk_at_once_do_not_overlap_and_are_complete(one, other):
    talk = sorted([*(replace(each, speaker="Ada") for each in one), *other], key=lambda segment: segment.start)
    shown = list(captions(talk))
    for speaker, said in (("Ada", one), ("", other)):
        text = text_of([caption for caption in shown if caption.speaker == speaker])
        assert text == "".join(word.text for segment in said for word in segment.words)
    assert all(caption.end <= next_one.start for caption, next_one in pairwise(shown))


def test_edited_words_are_shown_between_their_neighbors():
    words = [TimedWord("kept", 1.0, 1.3, 0.9), TimedWord("two", 1.4, 2.0, None), TimedWord("for", 1.4, 2.0, None)]
    talk = [segment_of([*words, TimedWord("written", None, None, None), TimedWord("again", 2.5, 2.8, 0.9)])]
    (caption,) = captions(talk)
    times = [(token.text, round(token.start, 3), round(token.end, 3)) for token in caption.lines[0]]
    assert times == [("kept", 1, 1.3), ("two", 1.4, 1.7), ("for", 1.7, 2), ("written", 2, 2), ("again", 2.5, 2.8)]


def test_words_of_scripts_without_spaces_are_joined_and_twice_as_wide():
    words = "今日 は とても 良い 天気 です から、 公園 まで 歩いて 行き ましょう と 友達 が 言い ました。"
    shown = list(captions([spoken(words)]))
    assert "".join(caption.text.replace("\n", "") for caption in shown) == words.replace(" ", "")
    assert all(columns(line) <= MAX_LINE for caption in shown for line in caption.text.split("\n"))
    assert [len(caption.lines) for caption in shown] == [2]


def test_a_long_word_without_spaces_is_split_between_letters_and_their_marks():
    (caption,) = captions([spoken("ที่นี่" * 10)])
    assert len(caption.lines) == 1
    assert columns(caption.text) == 20
    long = "日" * 30
    shown = list(captions([spoken(long, speaker=long)], named=True))
    assert "".join(caption.text for caption in shown).replace("\n", "") == f"{'日' * 20}:{long}"
    assert all(columns(line) <= MAX_LINE for caption in shown for line in caption.text.split("\n"))


def test_words_without_text_or_time_are_no_error():
    words = [TimedWord(" ", 0, 1, None), TimedWord("\n", 1, 0.5, None), TimedWord("said", 2, 1, None)]
    assert [caption.text for caption in captions([segment_of(words)])] == ["said"]
    assert list(captions([segment_of(words[:1])])) == []
