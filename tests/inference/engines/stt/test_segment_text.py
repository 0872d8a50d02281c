import pytest

from inference.engines.stt.segment_text import ends_with_number, repeats_itself


@pytest.mark.parametrize("text", ["Five, five, five.", "Call 555-", "at 0", "Double", "oh,", "A.", "zero one"])
def test_digits_may_follow_a_number(text):
    assert ends_with_number(text)


@pytest.mark.parametrize("text", ["", "...", "Five people.", "someone", "I do."])
def test_no_digits_follow_other_words(text):
    assert not ends_with_number(text)


@pytest.mark.parametrize("text", ["X, x, " * 20, "S" + "-s" * 30, "33" + "2" * 20, "the number of " * 20])
def test_endless_repetitions_are_detected(text):
    assert repeats_itself(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "No, no, no, no!",
        "Five, five, five, zero, one, nine, nine, five, five, five.",
        "It was the best of times, it was the worst of times, it was the age of wisdom, it was the age of foolishness, "
        "it was the epoch of belief, it was the epoch of incredulity, it was the season of light.",
    ],
)
def test_repetitions_of_speech_are_no_loop(text):
    assert not repeats_itself(text)
