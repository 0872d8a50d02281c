"""Find and replace in a transcript; tests/js/pages/replacing.test.mjs tests the preview of matches on the page."""

import json

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from speech.library.transcript_view import transcript_segments
from speech.models import Correction
from speech.text.find_replace import Replacement
from tests.support.environment import ROOT
from tests.support.speech.sessions import create_session, create_user

CASES = json.loads((ROOT / "tests/js/text/find.json").read_text())


@pytest.fixture
def session(owner):
    return create_session(owner, "in the hart of paris", "behind a plain facade", "The Hart, Harte and the hart.")


def texts(session):
    return [segment.text for segment in transcript_segments(session)]


@pytest.mark.parametrize(
    ("replacement", "text", "result", "count"),
    [
        (Replacement("hart", "heart"), "Hart harte hart", "heart harte heart", 2),
        (Replacement("hart", "heart", matches_case=True), "Hart harte hart", "Hart harte heart", 1),
        (Replacement("hart", "heart", matches_partial_words=True), "Hart harte hart", "heart hearte heart", 3),
        (Replacement("of paris", "of Troy"), "the hart of Paris.", "the hart of Troy.", 1),
        (Replacement("hart?", r"\1"), "no hart?", r"no \1", 1),
        (Replacement(".*", "all"), "not .* this", "not all this", 1),
        (Replacement("été", "hiver"), "un Été, étés", "un hiver, étés", 1),
        (Replacement("שלום", "hello"), "שלום עולם", "hello עולם", 1),
        (Replacement("well", ""), "well I say", " I say", 1),
    ],
)
def test_only_matches_are_replaced(replacement, text, result, count):
    assert replacement.apply(text) == (result, count)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['find']} in {case['text']}")
def test_the_same_matches_are_found_as_on_the_page(case):
    replacement = Replacement(case["find"], "", case.get("matchesCase", False), case.get("partsOfWords", False))
    text = case["text"]
    assert [text[start:end] for start, end in replacement.matches(text)] == case["matches"]


def test_all_matches_are_replaced_and_keep_their_times(session, owner):
    times = [[word.start for word in segment.words] for segment in transcript_segments(session)]
    _, count = Correction.replace_all(session, owner, Replacement("hart", "heart"))
    assert count == 3
    assert texts(session) == ["in the heart of paris", "behind a plain facade", "The heart, Harte and the heart."]
    assert [[word.start for word in segment.words] for segment in transcript_segments(session)] == times


def test_undo_reverts_all_replacements(session, owner):
    before = texts(session)
    correction, _ = Correction.replace_all(session, owner, Replacement("hart", "heart"))
    correction.undo()
    assert texts(session) == before


def test_edited_segments_are_searched_too(session, owner):
    Correction.rewrite(session.segments.current()[1], owner, "behind a hart")
    Correction.replace_all(session, owner, Replacement("hart", "deer"))
    assert texts(session)[1] == "behind a deer"


def test_a_segment_without_words_disappears_from_the_transcript(session, owner):
    Correction.replace_all(session, owner, Replacement("behind a plain facade", ""))
    assert len(texts(session)) == 2


def test_a_long_session_needs_no_more_queries(owner):
    counts = []
    for segments in (["one hart"], ["one hart"] * 60):
        session = create_session(owner, *segments)
        with CaptureQueriesContext(connection) as queries:
            Correction.replace_all(session, owner, Replacement("hart", "heart"))
        counts.append(len(queries))
    assert counts[0] == counts[1]


@pytest.fixture
def replace(session):
    pages = Client()
    pages.force_login(session.owner)

    def replace(**fields):
        return pages.post(f"/sessions/{session.pk}/replace/", fields, follow=True).content.decode()

    return replace


def test_the_page_shows_the_number_of_replacements_and_offers_undo(replace, session):
    page = replace(find=" hart ", replace="<b>")
    assert "Replaced “hart” 3 times." in page
    assert "Undo: Replaced all" in page
    assert texts(session)[0] == "in the <b> of paris"
    assert "<b> of" not in page


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, "Enter text to find."),
        ({"find": " ", "replace": "x"}, "Enter text to find."),
        ({"find": "lion", "replace": "x"}, "“lion” isn&#x27;t in this session."),
        ({"find": "x" * 201}, "limited to 200 characters"),
        ({"find": "hart", "replace": "x" * 201}, "limited to 200 characters"),
    ],
)
def test_invalid_replacements_show_an_error(replace, session, fields, message):
    before = texts(session)
    assert message in replace(**fields)
    assert texts(session) == before


def test_a_segment_cannot_exceed_the_length_limit(owner):
    session = create_session(owner, "a " * 100)
    with pytest.raises(ValueError, match="longer than 10000"):
        Correction.replace_all(session, owner, Replacement("a", "b" * 200))


def test_one_replacement_cannot_lengthen_a_transcript_without_limit(owner, monkeypatch):
    monkeypatch.setattr("speech.models.corrections.MAX_ADDED", 30)
    session = create_session(owner, "a b", "a b", "a b")
    with pytest.raises(ValueError, match="more than 30 characters"):
        Correction.replace_all(session, owner, Replacement("a", "a" * 12))
    assert Correction.replace_all(session, owner, Replacement("a", "a" * 11))[1] == 3


def test_other_users_cannot_replace(session):
    other = Client()
    other.force_login(create_user("eve@example.org"))
    response = other.post(f"/sessions/{session.pk}/replace/", {"find": "hart", "replace": "x"})
    assert response.status_code == 404
