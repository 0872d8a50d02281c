"""One text for another, wherever it was said; tests/js/pages/replacing.test.mjs has what the page finds beforehand."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from speech.library.transcript_view import transcript_segments
from speech.models import Correction
from speech.text.find_replace import Replacement
from tests.support.speech.sessions import said, somebody


@pytest.fixture
def session(owner):
    return said(owner, "in the hart of paris", "behind a plain facade", "The Hart, Harte and the hart.")


def texts(session):
    return [utterance.text for utterance in transcript_segments(session)]


@pytest.mark.parametrize(
    ("replacement", "said", "becomes", "times"),
    [
        (Replacement("hart", "heart"), "Hart harte hart", "heart harte heart", 2),
        (Replacement("hart", "heart", matches_case=True), "Hart harte hart", "Hart harte heart", 1),
        (Replacement("hart", "heart", in_words=True), "Hart harte hart", "heart hearte heart", 3),
        (Replacement("of paris", "of Troy"), "the hart of Paris.", "the hart of Troy.", 1),
        (Replacement("hart?", r"\1"), "no hart?", r"no \1", 1),
        (Replacement(".*", "all"), "not .* this", "not all this", 1),
        (Replacement("été", "hiver"), "un Été, étés", "un hiver, étés", 1),
        (Replacement("שלום", "hello"), "שלום עולם", "hello עולם", 1),
        (Replacement("well", ""), "well I say", " I say", 1),
    ],
)
def test_what_is_looked_for_is_found_and_nothing_else(replacement, said, becomes, times):
    assert replacement.apply(said) == (becomes, times)


def test_it_is_replaced_wherever_it_was_said_and_keeps_its_times(session, owner):
    times = [[word.start for word in utterance.words] for utterance in transcript_segments(session)]
    _, count = Correction.replace_all(session, owner, Replacement("hart", "heart"))
    assert count == 3
    assert texts(session) == ["in the heart of paris", "behind a plain facade", "The heart, Harte and the heart."]
    assert [[word.start for word in utterance.words] for utterance in transcript_segments(session)] == times


def test_it_is_taken_back_all_at_once(session, owner):
    before = texts(session)
    correction, _ = Correction.replace_all(session, owner, Replacement("hart", "heart"))
    correction.undo()
    assert texts(session) == before


def test_what_was_corrected_before_is_replaced_too(session, owner):
    Correction.rewrite(session.segments.current()[1], owner, "behind a hart")
    Correction.replace_all(session, owner, Replacement("hart", "deer"))
    assert texts(session)[1] == "behind a deer"


def test_an_utterance_of_which_nothing_stays_is_read_no_more(session, owner):
    Correction.replace_all(session, owner, Replacement("behind a plain facade", ""))
    assert len(texts(session)) == 2


def test_a_long_session_asks_the_database_no_more_often(owner):
    counts = []
    for utterances_said in (["one hart"], ["one hart"] * 60):
        session = said(owner, *utterances_said)
        with CaptureQueriesContext(connection) as queries:
            Correction.replace_all(session, owner, Replacement("hart", "heart"))
        counts.append(len(queries))
    assert counts[0] == counts[1]


@pytest.fixture
def replace(session):
    pages = Client()
    pages.force_login(session.owner)

    def replace(**wanted):
        return pages.post(f"/sessions/{session.pk}/replace/", wanted, follow=True).content.decode()

    return replace


def test_the_page_says_how_often_and_offers_to_take_it_back(replace, session):
    page = replace(find=" hart ", replace="<b>")
    assert "“hart” was replaced 3 times." in page
    assert "Undo: Replaced throughout" in page
    assert texts(session)[0] == "in the <b> of paris"
    assert "<b> of" not in page


@pytest.mark.parametrize(
    ("wanted", "what"),
    [
        ({}, "Say what to look for."),
        ({"find": " ", "replace": "x"}, "Say what to look for."),
        ({"find": "lion", "replace": "x"}, "“lion” is nowhere in this session."),
        ({"find": "x" * 201}, "More than 200 characters"),
        ({"find": "hart", "replace": "x" * 201}, "More than 200 characters"),
    ],
)
def test_what_cannot_be_replaced_is_said(replace, session, wanted, what):
    before = texts(session)
    assert what in replace(**wanted)
    assert texts(session) == before


def test_an_utterance_never_grows_without_bounds(owner):
    session = said(owner, "a " * 100)
    with pytest.raises(ValueError, match="longer than 10000"):
        Correction.replace_all(session, owner, Replacement("a", "b" * 200))


def test_others_replace_nothing(session):
    other = Client()
    other.force_login(somebody("eve@example.org"))
    response = other.post(f"/sessions/{session.pk}/replace/", {"find": "hart", "replace": "x"})
    assert response.status_code == 404
