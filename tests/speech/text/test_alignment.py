"""Alignment keeps the times of recognized words and invents none."""

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from speech.models import TimedWord
from speech.text.alignment import align
from speech.text.word_spacing import join_words

WORDS = [TimedWord(text, n, n + 0.5, 0.9) for n, text in enumerate(["in", "the", "hart", "off", "paris"])]


def times(text):
    return [(word.text, word.start, word.end) for word in align(WORDS, text)]


def test_unchanged_words_keep_times_and_confidence():
    assert align(WORDS, "In the hart off Paris!") == [
        word._replace(text=text) for word, text in zip(WORDS, ["In", "the", "hart", "off", "Paris!"], strict=True)
    ]


def test_replacement_words_take_the_old_times_but_no_confidence():
    assert align(WORDS, "in the heart of paris")[2:4] == [
        TimedWord("heart", 2, 2.5, None),
        TimedWord("of", 3, 3.5, None),
    ]


def test_words_that_replace_more_or_fewer_words_share_their_time_span():
    assert times("in the midst paris")[2] == ("midst", 2, 3.5)
    assert times("in the very heart of paris")[2:5] == [(word, 2, 3.5) for word in ("very", "heart", "of")]


def test_inserted_words_have_no_times():
    assert times("right in the hart off paris")[0] == ("right", None, None)
    assert times("in the hart off paris today")[-1] == ("today", None, None)


def test_deleted_words_do_not_affect_the_others():
    assert times("in paris") == [("in", 0, 0.5), ("paris", 4, 4.5)]
    assert times("") == []


JAPANESE = [
    TimedWord("今日", 0.0, 0.6, 0.9),
    TimedWord("は", 0.6, 0.8, 0.8),
    TimedWord("良い", 0.8, 1.2, 0.7),
    TimedWord("天気", 1.2, 1.8, 0.6),
    TimedWord("です。", 1.8, 2.2, 0.5),
]


def test_words_without_spaces_keep_their_times_and_confidence():
    assert align(JAPANESE, "今日は良い天気です。") == JAPANESE
    assert align(JAPANESE, "今日は、良い天気です") == [
        JAPANESE[0],
        JAPANESE[1]._replace(text="は、"),
        *JAPANESE[2:4],
        JAPANESE[4]._replace(text="です"),
    ]


def test_replaced_characters_take_the_time_of_their_word_but_no_confidence():
    assert align(JAPANESE, "今日は良い元気です。")[2:4] == [JAPANESE[2], TimedWord("元気", 1.2, 1.8, None)]
    assert align(JAPANESE, "明日は良い天気です。")[0] == TimedWord("明日", 0.0, 0.6, None)


def test_characters_inserted_into_a_word_belong_to_it_and_others_have_no_times():
    assert align(JAPANESE, "今の日は良い天気です。")[0] == TimedWord("今の日", 0.0, 0.6, None)
    assert align(JAPANESE, "今日はとても良い天気です。")[2] == TimedWord("とても", None, None, None)


def test_a_rewritten_text_without_spaces_is_cut_where_the_words_were():
    rewritten = align(JAPANESE, "明後朝から悪くなります")
    assert "".join(word.text for word in rewritten) == "明後朝から悪くなります"
    assert 3 <= len(rewritten) <= 6
    assert (rewritten[0].start, rewritten[-1].end) == (0.0, 2.2)
    assert all(one.end <= next_one.start for one, next_one in pairwise(rewritten))


def test_spaces_that_a_user_types_between_words_without_spaces_are_kept():
    assert [word.text for word in align(JAPANESE, "今日は 良い天気です。")] == ["今日", "は ", "良い", "天気", "です。"]


@settings(deadline=None)
@given(st.lists(st.text("a本語 ที่。。5한", min_size=1, max_size=4), max_size=6), st.text("ab本語ที่。「5한 ", max_size=20))
def test_the_words_make_the_edited_text(texts, edited):
    words = [TimedWord(text, n, n + 1, 0.9) for n, text in enumerate(texts)]
    aligned = align(words, edited)
    assert join_words(word.text for word in aligned) == " ".join(edited.split())
    assert all((word.start is None) == (word.end is None) for word in aligned)
