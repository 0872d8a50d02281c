"""A corrected text keeps the times that were heard, and none is made up."""

from speech.models import TimedWord
from speech.text.alignment import align

HEARD = [TimedWord(text, n, n + 0.5, 0.9) for n, text in enumerate(["in", "the", "hart", "off", "paris"])]


def times(text):
    return [(word.text, word.start, word.end) for word in align(HEARD, text)]


def test_words_that_are_the_same_keep_times_and_confidence():
    assert align(HEARD, "In the hart off Paris!") == [
        word._replace(text=text) for word, text in zip(HEARD, ["In", "the", "hart", "off", "Paris!"], strict=True)
    ]


def test_words_that_stand_for_as_many_others_have_their_times_but_no_confidence():
    assert align(HEARD, "in the heart of paris")[2:4] == [
        TimedWord("heart", 2, 2.5, None),
        TimedWord("of", 3, 3.5, None),
    ]


def test_words_that_stand_for_more_or_fewer_share_the_time_of_those():
    assert times("in the midst paris")[2] == ("midst", 2, 3.5)
    assert times("in the very heart of paris")[2:5] == [(word, 2, 3.5) for word in ("very", "heart", "of")]


def test_words_that_nobody_heard_have_no_time():
    assert times("right in the hart off paris")[0] == ("right", None, None)
    assert times("in the hart off paris today")[-1] == ("today", None, None)


def test_words_that_are_left_out_leave_the_others_alone():
    assert times("in paris") == [("in", 0, 0.5), ("paris", 4, 4.5)]
    assert times("") == []
