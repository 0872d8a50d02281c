"""Search finds what was said, on either database, and keeps up with whatever becomes of it."""

import pytest

from speech.library.search import Query, find
from speech.models import Correction, Session
from tests.support.speech.sessions import said, somebody

pytestmark = pytest.mark.usefixtures("either_database")


@pytest.fixture
def owner():
    return somebody()


def found(owner, text, **options):
    segments = find(Query(text), owner, Session.objects.of(owner), limit=10, **options)
    return [segment.text for segment in segments]


def test_it_finds_the_beginnings_of_words_without_case_and_accents(owner):
    said(owner, "Behind a façade of CRYSTALS", "nothing here")
    for text in ("crystal", "FACADE", "façade", "behind crystals"):
        assert found(owner, text) == ["Behind a façade of CRYSTALS"]
    assert found(owner, "ystal") == found(owner, "crystal nothing") == []


def test_short_words_are_found_whole(owner):
    said(owner, "it is", "in the garden")
    assert found(owner, "i") == []
    assert found(owner, "in") == ["in the garden"]


def test_quoted_words_stand_next_to_each_other(owner):
    said(owner, "a glass of water", "water in a glass")
    assert set(found(owner, "glass water")) == {"a glass of water", "water in a glass"}
    assert found(owner, '"glass of water"') == found(owner, "“glass of water”") == ["a glass of water"]
    assert found(owner, '"glass of wat"') == []


def test_parts_of_words_are_searched_as_they_are_written(owner):
    said(owner, "I don't know", "a well-known don", "version 3.5 of it")
    assert found(owner, "don't") == ["I don't know"]
    assert found(owner, "well-known") == found(owner, "known") == ["a well-known don"]
    assert found(owner, "3.5") == ["version 3.5 of it"]


@pytest.mark.parametrize(
    "text", ['"', "* AND", "owner:1", "a:b & !c | (d", "'; DROP", "NEAR(a b)", "\\", "x" * 500, "😀"]
)
def test_nothing_that_is_typed_is_taken_for_syntax(owner, text):
    said(owner, "hello there")
    assert found(owner, text) == []


def test_the_newest_comes_first_and_pages_go_on_where_the_last_ended(owner):
    for number in ("one", "two", "three"):
        said(owner, f"number {number}")
    first, second = find(Query("number"), owner, Session.objects.of(owner), limit=2)
    assert [first.text, second.text] == ["number three", "number two"]
    assert found(owner, "number", before=second.pk) == ["number one"]


def test_others_find_nothing_of_it(owner):
    said(owner, "my secret garden")
    other = somebody("eve@example.org")
    assert found(other, "secret") == []
    assert find(Query("secret"), other, Session.objects.all(), limit=10) == []


def test_a_correction_is_found_and_what_it_replaced_is_not_until_it_is_undone(owner):
    session = said(owner, "in the hart of paris")
    correction = Correction.rewrite(session.segments.get(), owner, "in the heart of Paris")
    assert (found(owner, "hart"), found(owner, "heart")) == ([], ["in the heart of Paris"])
    correction.undo()
    assert (found(owner, "hart"), found(owner, "heart")) == (["in the hart of paris"], [])


def test_what_was_deleted_is_not_found_and_what_was_put_back_is(owner):
    said(owner, "gone and back")
    moment, _ = Session.objects.of(owner).soft_delete()
    assert found(owner, "gone") == []
    Session.objects.deleted_at_moment(owner, moment).restore()
    assert found(owner, "gone") == ["gone and back"]
    Session.objects.of(owner).delete()
    assert found(owner, "gone") == []


def test_words_that_were_searched_for_are_marked(owner):
    words = ["The", "crystal,", "don't", "drop", "“Crystals”"]
    assert Query("crystal don't").matches(words) == [False, True, True, False, True]
    assert Query('"drop crystals"').matches(words) == [False, False, False, True, True]
