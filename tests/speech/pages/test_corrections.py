"""Corrections as the page makes them, by the owner and by nobody else."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.support.speech.sessions import said, somebody


@pytest.fixture
def session(db):
    return said(somebody(), "in the hart of paris", "is the crystal")


@pytest.fixture
def pages(session):
    client = Client()
    client.force_login(session.owner)
    return client


def correct(pages, session, number, **wanted):
    segment = list(session.segments.current())[number]
    return pages.post(f"/sessions/{session.pk}/segments/{segment.pk}/", wanted), segment


def test_what_takes_the_place_is_told_as_the_page_shows_it(pages, session):
    response, segment = correct(pages, session, 0, do="text", text="in the <heart> of paris")
    told = response.json()
    assert told["replaced"] == [segment.pk]
    assert "&lt;heart&gt;</span>" in told["utterances"]
    assert "Corrected" in told["history"]
    assert "&lt;heart&gt;" in pages.get(f"/sessions/{session.pk}/").content.decode()


def test_it_is_split_joined_and_named(pages, session):
    correct(pages, session, 0, do="split", word="3")
    correct(pages, session, 0, do="speaker", speaker=" Ada ")
    correct(pages, session, 1, do="merge")
    assert list(session.segments.current().values_list("speaker", "text")) == [
        ("Ada", "in the hart"),
        ("", "of paris is the crystal"),
    ]


@pytest.mark.parametrize(
    "wanted",
    [
        {},
        {"do": "delete"},
        {"do": "split"},
        {"do": "split", "word": "0"},
        {"do": "split", "word": "99"},
        {"do": "split", "word": "x"},
        {"do": "merge"},
        {"do": "text", "text": "x" * 10_001},
        {"do": "speaker", "speaker": "x" * 61},
    ],
)
def test_what_cannot_be_done_is_refused_in_words(pages, session, wanted):
    response, _ = correct(pages, session, 1, **wanted)
    assert response.status_code == 400
    assert response.json()["what"]
    assert not session.corrections.exists()


def test_what_was_changed_meanwhile_is_not_changed_again(pages, session):
    _, stale = correct(pages, session, 0, do="text", text="first")
    response = pages.post(f"/sessions/{session.pk}/segments/{stale.pk}/", {"do": "text", "text": "second"})
    assert response.status_code == 409
    assert "Load the page again" in response.json()["what"]


def test_the_history_undoes_what_nothing_stands_on(pages, session):
    correct(pages, session, 0, do="split", word="3")
    correct(pages, session, 0, do="text", text="in the heart")
    text, split = session.corrections.all()
    page = pages.post(f"/sessions/{session.pk}/corrections/{split.pk}/undo/", follow=True)
    assert "Undo the later change first" in page.content.decode()
    for correction in (text, split):
        pages.post(f"/sessions/{session.pk}/corrections/{correction.pk}/undo/")
    assert session.segments.current().first().text == "in the hart of paris"
    assert "Undo:" not in pages.get(f"/sessions/{session.pk}/").content.decode()


def test_what_was_searched_for_is_marked(pages, session):
    html = pages.get(f"/sessions/{session.pk}/", {"q": "crystal"}).content.decode()
    assert html.count("word--found") == 1


def test_details_are_saved(pages, session):
    wanted = {"title": " About  Paris ", "tags": "travel, Paris, travel", "retention": "days", "days": "30"}
    pages.post(f"/sessions/{session.pk}/details/", wanted)
    session.refresh_from_db()
    assert session.title == "About Paris"
    assert [str(tag) for tag in session.tags.all()] == ["Paris", "travel"]
    assert session.retention_days == 30
    page = pages.post(f"/sessions/{session.pk}/details/", {"retention": "days"}, follow=True)
    assert "Say for how many days" in page.content.decode()


@pytest.mark.parametrize("path", ["segments/{segment}/", "corrections/1/undo/", "details/", "delete/", "share/"])
def test_others_change_nothing(session, path):
    other = Client()
    other.force_login(somebody("eve@example.org"))
    path = path.format(segment=session.segments.first().pk)
    assert other.post(f"/sessions/{session.pk}/{path}", {"do": "text", "text": "mine"}).status_code == 404


def test_the_page_asks_the_database_as_often_for_long_sessions(pages, session):
    long = said(session.owner, *(f"number {n}" for n in range(300)))
    counts = []
    for one in (session, long):
        with CaptureQueriesContext(connection) as queries:
            pages.get(f"/sessions/{one.pk}/")
        counts.append(len(queries))
    assert counts[0] == counts[1]
