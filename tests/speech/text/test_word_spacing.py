"""Words of every script make the text that people write, here and on pages, which have the same rules in JavaScript."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from speech.text.scripts import UNSPACED, is_unspaced
from speech.text.word_spacing import first_words, join_words, pieces, split_words
from tests.support.environment import ROOT

CASES = json.loads(Path(ROOT, "tests/js/text/word-spacing.json").read_text())
SCRIPT = Path(ROOT, "static/js/text/word-spacing.js").read_text()
TEXTS = st.text(st.sampled_from("ab 5日本語ーがﾊ、。「」“”…ทีเ่ខ។한글é.,\u3000\n-"), max_size=30)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["text"])
def test_words_are_joined_as_their_script_is_written(case):
    assert join_words(case["words"]) == case["text"]


def test_pages_and_the_server_know_the_same_scripts():
    def escaped(character):
        code = ord(character)
        return character if character == "-" else f"\\\\u{code:04x}" if code < 0x10000 else f"\\\\u{{{code:x}}}"

    written = "".join(line.split('"')[1] for line in SCRIPT.splitlines() if line.startswith('  "\\'))
    assert written == "".join(map(escaped, UNSPACED))


@pytest.mark.parametrize("character", "日々ヶひーｶㄅ𠀀ไทยລາວខ្មែမြန་མ")
def test_scripts_without_spaces(character):
    assert is_unspaced(character)


@pytest.mark.parametrize("character", "aé5한अعש。「Ａ５👍 ")
def test_other_characters(character):
    assert not is_unspaced(character)


@settings(deadline=None)
@given(TEXTS)
def test_a_text_that_is_split_and_joined_is_the_same(text):
    assert join_words(split_words(text)) == " ".join(text.split())


@settings(deadline=None)
@given(TEXTS)
def test_pieces_of_a_word_make_the_word(text):
    for word in split_words(text):
        assert join_words(pieces(word)) == word.rstrip()


def test_pieces_are_characters_with_their_marks_and_punctuation():
    assert [*pieces("iPhoneを買った。「東京」")] == ["iPhoneを", "買", "っ", "た。", "「東", "京」"]
    assert [*pieces("ที่นี่")] == ["ที่", "นี่"]
    assert [*pieces("well-known")] == ["well-known"]


def test_two_characters_count_as_a_word_where_a_text_is_shortened():
    assert first_words("one two three four", 2) == "one two"
    assert first_words("今日は良い天気です", 2) == "今日は良"
    assert first_words("", 2) == first_words("one", 0) == ""
