"""Search in every script, on either database."""

import unicodedata

import pytest

from speech.library.search import Query, find
from speech.models import Segment, Session
from tests.support.speech.scripts import random_words
from tests.support.speech.sessions import create_session, create_user

pytestmark = pytest.mark.usefixtures("either_database")


@pytest.fixture
def owner():
    return create_user()


def store(owner, texts):
    session = create_session(owner, "first")
    Segment.objects.bulk_create(
        Segment(session=session, index=index, start=index, end=index + 1, text=text)
        for index, text in enumerate(texts, 1)
    )


def found(owner, text):
    return {segment.text for segment in find(Query(text), owner, Session.objects.all(), limit=1_000)}


def test_every_word_of_every_script_finds_itself(owner):
    words = {*random_words(per_script=1).values()}
    store(owner, words)
    assert [word for word in words if word not in found(owner, word)] == []


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("die Straße nach Bonn", "STRASSE"),
        ("ο άνθρωπος εδώ", "ΑΝΘΡΩΠΟΣ"),
        ("τα ελληνικά", "ελληνικα"),
        ("есть Йод", "йод"),
        ("가나다 라마", "가나"),
        ("학교에서 배운다", "학교"),
        ("a ＦＵＬＬ width", "full"),
        ("यह हिन्दी है", "हिन्दी"),
        ("ภาษาไทยง่าย", "ไทย"),
        ("東京タワーに行く", "タワー"),
        ("我们去中国人民大学", "人民"),
        ("使用AI技術", "ai技術"),
        ("שָׁלוֹם עולם", "שלום"),
        ("مُحَمَّد هنا", "محمد"),
        ("ｶﾞﾑを噛む", "ガム"),
        ("in ISPARTA", "ısparta"),
        ("cafe\u0301 noir", "café"),
        ("سنة ١٩٩٩", "1999"),
        ("see www.example.org/a-b?c=3.5 or a@example.org", "example.org"),
        ("1.5e3 and -7", "-7"),
    ],
)
def test_a_text_is_found_and_marked_however_it_is_written(owner, text, query):
    store(owner, [text, "other words"])
    assert found(owner, query) == {text}
    spans = Query(query).spans(text)
    assert spans
    assert all(text[start:end].strip() for start, end in spans)


@pytest.mark.parametrize(("text", "query"), [("柿のかき", "かぎ"), ("人民大学", "民人"), ("हिन्दी", "हनद"), ("ที่", "ทา")])
def test_other_words_are_not_found(owner, text, query):
    store(owner, [text])
    assert found(owner, query) == set()


def test_only_the_matching_part_of_a_text_without_spaces_is_marked():
    spans = Query("タワー").spans("東京タワーに、タワーも")
    assert spans == [(2, 5), (7, 10)]


def test_a_long_search_finds_the_text_that_it_was_copied_from(owner):
    text = " ".join(f"word{n}" for n in range(120))
    letters = " ".join(chr(97 + n % 26) + str(n // 26) for n in range(300))
    store(owner, [text, letters, "あ" * 200 + "い"])
    assert found(owner, text) == found(owner, f'"{text}"') == {text}
    assert found(owner, letters) == {letters}
    assert found(owner, "あ" * 150 + "い") == {"あ" * 200 + "い"}
    assert found(owner, text.replace("word119", "other")) == set()


@pytest.mark.parametrize(
    "text", ["a" * 30_000, "ä" * 30_000, " ".join(map(str, range(40_000))), "\U0001e900" * 300_000]
)
def test_a_segment_of_any_length_is_stored_and_its_beginning_is_found(owner, text):
    store(owner, [text])
    assert found(owner, text.split()[0][:1_000]) == {text}


def test_a_new_text_is_indexed_when_it_is_saved(owner):
    store(owner, ["Straße"])
    segment = Segment.objects.get(text="Straße")
    segment.text = unicodedata.normalize("NFD", "été")
    segment.save()
    assert (found(owner, "strasse"), found(owner, "ete")) == (set(), {segment.text})
