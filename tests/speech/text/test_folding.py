"""Folding of words: what is the same word, and where it is in a text."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from speech.text.find_replace import Replacement
from speech.text.folding import MAX_TOKEN, tokens, tokens_in
from tests.support.speech.scripts import random_words

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
WORDS = random_words(per_script=2)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Straße", "STRASSE"),
        ("ẞ", "ss"),
        ("ﬁsh", "FISH"),
        ("άνθρωπος", "ΑΝΘΡΩΠΟΣ"),
        ("ᾳ", "αι"),
        ("Йод", "и\u0306од"),
        ("ＦＵＬＬ", "full"),
        ("ISPARTA", "ısparta"),
        ("İstanbul", "istanbul"),
        ("façade", "FACADE"),
        ("Nguyễn", "nguyen"),
        ("שָׁלוֹם", "שלום"),
        ("כֹּל", "כל"),
        ("مُحَمَّد", "محمد"),
        ("محـــمد", "محمد"),
        ("ﻣﺤﻤﺪ", "محمد"),
        ("می‌خواهم", "میخواهم"),
        ("ｶﾞﾑ", "ガム"),
        ("か\u3099", "が"),
        ("가나다", unicodedata.normalize("NFD", "가나다")),
        ("क़", "क\u093c"),
        ("٣٤", "34"),
        ("५", "5"),
        ("m²", "m2"),
        ("co\u00adop", "coop"),
        ("п’ять", "пʼять"),
        ("❤\ufe0f", "❤"),
        ("ก\u0e49\u0e38", "ก\u0e38\u0e49"),
    ],
)
def test_the_same_word(one, other):
    assert tokens(one) == tokens(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("か", "が"), ("हिन्दी", "हनद"), ("ที่", "ทา"), ("কি", "কী"), ("가", "나"), ("은", "는"), ("ދިވެހި", "ދވހ")],
)
def test_different_words(one, other):
    assert tokens(one) != tokens(other)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Don’t, well-known_x", ["don", "t", "well", "known", "x"]),
        ("東京タワー", ["東", "京", "タ", "ワ", "ー"]),
        ("AI技術2", ["ai", "技", "術", "2"]),
        ("हिन्दी में", ["हिन्दी", "में"]),
        ("が", ["か\u3099"]),
        ("5㎏ Nike™ 1½", ["5", "kg", "nike", "tm", "1", "1", "2"]),
        ("צה״ל", ["צה", "ל"]),
        ("😀 — ´", []),
        ("a" * 150, ["a" * MAX_TOKEN]),
        ("ä" * 150, ["a" * MAX_TOKEN]),
    ],
)
def test_a_text_has_these_tokens(text, expected):
    assert tokens(text) == expected


@pytest.mark.parametrize("form", ["NFC", "NFD"])
@given(text=TEXTS)
def test_the_encoding_of_a_text_does_not_matter(form, text):
    assert tokens(unicodedata.normalize(form, text)) == tokens(text)


@given(TEXTS)
def test_case_does_not_matter(text):
    assert tokens(text.lower()) == tokens(text) == tokens(text.casefold())


@given(TEXTS)
def test_tokens_fold_to_themselves(text):
    assert tokens(" ".join(tokens(text))) == tokens(text)


@given(TEXTS)
def test_tokens_are_where_they_are_in_the_text(text):
    found = tokens_in(text)
    assert [token for token, _, _ in found] == tokens(text)
    for token, start, end in found:
        assert token in tokens(text[start:end])


def test_a_word_ends_after_its_accents():
    assert tokens_in("e\u0301te\u0301, a") == [("ete", 0, 5), ("a", 7, 8)]


@pytest.mark.parametrize("word", WORDS.values(), ids=WORDS)
def test_a_word_of_any_script_finds_itself(word):
    assert tokens(word)
    for text in (word, f"x {word} x", f"“{word}”."):
        assert Replacement(word, "y").apply(text)[1] >= 1
        assert Replacement(word, "y", matches_case=True).apply(text)[1] >= 1
