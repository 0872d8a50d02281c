"""Full-text search on either database, and updates of its index."""

import pytest

from speech.library.search import Query, find
from speech.models import Correction, Session
from tests.support.speech.sessions import create_session, create_user

pytestmark = pytest.mark.usefixtures("either_database")


@pytest.fixture
def owner():
    return create_user()


def found(owner, text, **options):
    segments = find(Query(text), owner, Session.objects.of(owner), limit=10, **options)
    return [segment.text for segment in segments]


def test_words_match_as_prefixes_ignoring_case_and_accents(owner):
    create_session(owner, "Behind a façade of CRYSTALS", "nothing here")
    for text in ("crystal", "FACADE", "façade", "behind crystals"):
        assert found(owner, text) == ["Behind a façade of CRYSTALS"]
    assert found(owner, "ystal") == found(owner, "crystal nothing") == []


def test_short_words_match_whole_words_only(owner):
    create_session(owner, "it is", "in the garden")
    assert found(owner, "i") == []
    assert found(owner, "in") == ["in the garden"]


def test_quoted_words_must_be_adjacent(owner):
    create_session(owner, "a glass of water", "water in a glass")
    assert set(found(owner, "glass water")) == {"a glass of water", "water in a glass"}
    assert found(owner, '"glass of water"') == found(owner, "“glass of water”") == ["a glass of water"]
    assert found(owner, '"glass of wat"') == []


def test_words_with_punctuation_are_found(owner):
    create_session(owner, "I don't know", "a well-known don", "version 3.5 of it")
    assert found(owner, "don't") == ["I don't know"]
    assert found(owner, "well-known") == found(owner, "known") == ["a well-known don"]
    assert found(owner, "3.5") == ["version 3.5 of it"]


@pytest.mark.parametrize(
    "text", ['"', "* AND", "owner:1", "a:b & !c | (d", "'; DROP", "NEAR(a b)", "\\", "x" * 500, "😀"]
)
def test_query_syntax_of_the_database_is_not_interpreted(owner, text):
    create_session(owner, "hello there")
    assert found(owner, text) == []


def test_results_are_newest_first_and_paginated(owner):
    for number in ("one", "two", "three"):
        create_session(owner, f"number {number}")
    first, second = find(Query("number"), owner, Session.objects.of(owner), limit=2)
    assert [first.text, second.text] == ["number three", "number two"]
    assert found(owner, "number", before=second.pk) == ["number one"]


def test_other_users_find_nothing(owner):
    create_session(owner, "my secret garden")
    other = create_user("eve@example.org")
    assert found(other, "secret") == []
    assert find(Query("secret"), other, Session.objects.all(), limit=10) == []


def test_search_follows_corrections_and_undo(owner):
    session = create_session(owner, "in the hart of paris")
    correction = Correction.rewrite(session.segments.get(), owner, "in the heart of Paris")
    assert (found(owner, "hart"), found(owner, "heart")) == ([], ["in the heart of Paris"])
    correction.undo()
    assert (found(owner, "hart"), found(owner, "heart")) == (["in the hart of paris"], [])


def test_search_follows_deletion_and_restoring(owner):
    create_session(owner, "gone and back")
    moment, _ = Session.objects.of(owner).soft_delete()
    assert found(owner, "gone") == []
    Session.objects.deleted_at_moment(owner, moment).restore()
    assert found(owner, "gone") == ["gone and back"]
    Session.objects.of(owner).delete()
    assert found(owner, "gone") == []


def test_matching_words_are_marked(owner):
    words = ["The", "crystal,", "don't", "drop", "“Crystals”"]
    assert Query("crystal don't").matches(words) == [False, True, True, False, True]
    assert Query('"drop crystals"').matches(words) == [False, False, False, True, True]
