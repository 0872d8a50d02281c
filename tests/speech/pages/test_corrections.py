"""Edits on the session's page, by the owner only."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.support.speech.sessions import create_session, create_user


@pytest.fixture
def session(owner):
    return create_session(owner, "in the hart of paris", "is the crystal")


def correct(pages, session, index, **fields):
    segment = list(session.segments.current())[index]
    return pages.post(f"/sessions/{session.pk}/segments/{segment.pk}/", fields), segment


def test_the_response_has_the_new_segments_as_html(pages, session):
    response, segment = correct(pages, session, 0, do="text", text="in the <heart> of paris")
    data = response.json()
    assert data["replaced"] == [segment.pk]
    assert "&lt;heart&gt;</span>" in data["segments"]
    assert "Edited" in data["history"]
    assert "&lt;heart&gt;" in pages.get(f"/sessions/{session.pk}/").content.decode()


def test_segments_are_split_merged_and_named(pages, session):
    correct(pages, session, 0, do="split", word="3")
    correct(pages, session, 0, do="speaker", speaker=" Ada ")
    correct(pages, session, 1, do="merge")
    assert list(session.segments.current().values_list("speaker", "text")) == [
        ("Ada", "in the hart"),
        ("", "of paris is the crystal"),
    ]


@pytest.mark.parametrize(
    "fields",
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
def test_invalid_edits_return_an_error_message(pages, session, fields):
    response, _ = correct(pages, session, 1, **fields)
    assert response.status_code == 400
    assert response.json()["what"]
    assert not session.corrections.exists()


def test_a_segment_that_has_changed_is_not_changed_again(pages, session):
    _, stale = correct(pages, session, 0, do="text", text="first")
    response = pages.post(f"/sessions/{session.pk}/segments/{stale.pk}/", {"do": "text", "text": "second"})
    assert response.status_code == 409
    assert "Reload the page" in response.json()["what"]


def test_the_history_undoes_corrections_without_later_ones(pages, session):
    correct(pages, session, 0, do="split", word="3")
    correct(pages, session, 0, do="text", text="in the heart")
    text, split = session.corrections.all()
    page = pages.post(f"/sessions/{session.pk}/corrections/{split.pk}/undo/", follow=True)
    assert "Undo that one first" in page.content.decode()
    for correction in (text, split):
        pages.post(f"/sessions/{session.pk}/corrections/{correction.pk}/undo/")
    assert session.segments.current().first().text == "in the hart of paris"
    assert "Undo:" not in pages.get(f"/sessions/{session.pk}/").content.decode()


def test_search_matches_are_marked(pages, session):
    html = pages.get(f"/sessions/{session.pk}/", {"q": "crystal"}).content.decode()
    assert html.count("word--found") == 1


def test_details_are_saved(pages, session):
    fields = {"title": " About  Paris ", "tags": "travel, Paris, travel", "retention": "days", "days": "30"}
    pages.post(f"/sessions/{session.pk}/details/", fields)
    session.refresh_from_db()
    assert session.title == "About Paris"
    assert [str(tag) for tag in session.tags.all()] == ["Paris", "travel"]
    assert session.retention_days == 30
    page = pages.post(f"/sessions/{session.pk}/details/", {"retention": "days"}, follow=True)
    assert "Enter the number of days" in page.content.decode()


def test_a_session_has_a_limited_number_of_tags(pages, session):
    tags = ",".join(f"tag{index}" for index in range(21))
    page = pages.post(f"/sessions/{session.pk}/details/", {"tags": tags, "retention": "site"}, follow=True)
    assert "A session can have 20 tags, not 21. Remove some." in page.content.decode()
    assert not session.tags.exists()


@pytest.mark.parametrize("path", ["segments/{segment}/", "corrections/1/undo/", "details/", "delete/", "share/"])
def test_other_users_cannot_edit(session, path):
    other = Client()
    other.force_login(create_user("eve@example.org"))
    path = path.format(segment=session.segments.first().pk)
    assert other.post(f"/sessions/{session.pk}/{path}", {"do": "text", "text": "mine"}).status_code == 404


def test_the_page_needs_no_more_queries_for_a_long_session(pages, session):
    long = create_session(session.owner, *(f"number {n}" for n in range(300)))
    counts = []
    for one in (session, long):
        with CaptureQueriesContext(connection) as queries:
            pages.get(f"/sessions/{one.pk}/")
        counts.append(len(queries))
    assert counts[0] == counts[1]
