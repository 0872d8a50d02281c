"""Alignment keeps the times of recognized words and invents none."""

from speech.models import TimedWord
from speech.text.alignment import align

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
