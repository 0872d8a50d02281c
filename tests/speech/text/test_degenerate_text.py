"""Texts that no one writes, so long that work that grows faster than the text would take minutes or hours: the test
would time out."""

import pytest

from speech.dialogue.replies.speakable_text import MAX_PENDING, SpeakableText
from speech.dialogue.turns.end_of_turn import UNFINISHED, silence_needed
from speech.library.exports.formats.csv_export import FORMULA
from speech.library.search import Query
from speech.models.corrections import TEXT_LENGTH
from speech.synthesis.text_normalization.normalizer import TextNormalizer
from speech.text.find_replace import MAX_LENGTH, Replacement
from speech.text.folding import tokens
from speech.text.inline_markdown import certain_end, spoken_words

LONG = 100_000
UNITS = [
    "a",
    "a b ",
    " ",
    "\n",
    "'",
    "_",
    "-|",
    "-",
    "<a ",
    "[a](",
    "www.",
    "http://a/.",
    "1,",
    "1 May ",
    "&",
    "\u0301\u0323",
]


def repeat(unit, length):
    return (unit * length)[:length]


@pytest.mark.parametrize("unit", [*UNITS, "'’"])
def test_the_end_of_a_turn(unit):
    assert silence_needed(repeat(unit, LONG) + " y then we") == UNFINISHED


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("end", ["", "x", "\x01"])
def test_markdown_in_a_line_of_a_reply(unit, end):
    line = repeat(unit, MAX_PENDING) + end
    assert 0 <= certain_end(line, 0) <= len(line)
    assert isinstance(spoken_words(line), list)


@pytest.mark.parametrize("unit", UNITS)
def test_a_reply_in_one_piece_and_in_small_ones(unit):
    for length, size in ((LONG, LONG), (5 * MAX_PENDING, 40)):
        speakable = SpeakableText()
        for _ in range(0, length, size):
            speakable.feed(repeat(unit, size))
        speakable.finish()


def test_a_rule_across_a_table_is_not_spoken_and_what_only_begins_like_one_is():
    assert spoken(repeat("|-", 2_000) + "|") == ""
    assert spoken(repeat("- ", 2_000)) == ""
    assert spoken(repeat(" ", 2_000) + repeat("-|", 900) + "x") != ""


def spoken(text):
    speakable = SpeakableText()
    return speakable.feed(text) + speakable.finish()


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("language", ["en", "fr", "de"])
def test_text_to_speech(unit, language):
    normalizer = TextNormalizer(language)
    text = repeat(unit, 14_000) + "x y."
    words = [word for start in range(0, len(text), 400) for word in normalizer.feed(text[start : start + 400])]
    assert [word.text for word in words + normalizer.finish()]


@pytest.mark.parametrize(
    "number", ["{}th", "${}", "{} €", "${} million", "{}", "-{}.{}", "{} km", "{}-{}", "{}:30", "{}e"]
)
@pytest.mark.parametrize("digits", [16, 400, 5_000])
def test_numbers_that_are_too_long_to_have_words_are_read_digit_by_digit(number, digits):
    for language, nine in (("en", "nine"), ("fr", "neuf")):
        normalizer = TextNormalizer(language)
        words = normalizer.feed(number.replace("{}", "9" * digits)) + normalizer.finish()
        assert words
        assert {word.text for word in words} & {nine, "9" * 60} or digits == 16


@pytest.mark.parametrize(
    ("unit", "length"),
    [("\u0301\u0323", 40 * TEXT_LENGTH), ("\u05b0\u05c1", 40 * TEXT_LENGTH), ("\ufdfa", TEXT_LENGTH)],
)
def test_a_word_with_thousands_of_accents_is_normalized(unit, length):
    text = "a" + repeat(unit, length)
    assert len(tokens(text)) <= len(text)
    assert Replacement("b", "").apply(text) == (text, 0)


@pytest.mark.parametrize("unit", ["\ufdfa", "東", "㌀", "ก\u0e38\u0e49", "ä", "e\u0301", "가", "a "])
def test_the_longest_segment_is_marked(unit):
    query = Query(f"{unit} x")
    assert query.spans(f"x {repeat(unit, TEXT_LENGTH)}")


@pytest.mark.parametrize("find", ["a", "a" * MAX_LENGTH, "a" * (MAX_LENGTH - 1) + "b"])
def test_a_text_is_found_in_one_that_repeats_it(find):
    assert (Replacement(find, "", matches_partial_words=True).apply("a" * LONG)[1] > 0) is ("b" not in find)


NESTED = " ".join("-".join("a" * length) for length in range(1, 31))


@pytest.mark.parametrize("text", ["a " * 100, '"' + "a " * 499, "a b " * 250, NESTED])
def test_a_search_for_the_same_word_again_and_again_marks_all_of_them(text):
    assert all(Query(text).matches(["a"] * (TEXT_LENGTH // 2))) or "b" in text


@pytest.mark.parametrize("unit", [";", '"', " ", '; "', "=;"])
def test_signs_of_spreadsheets(unit):
    FORMULA.sub(r"\g<0>'", repeat(unit, LONG) + "x")
