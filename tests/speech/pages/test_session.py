"""The page of a session and its downloads, for its owner only."""

import json

import pytest
from django.test import Client

from accounts.models import User
from speech.events import Endpoint, Word
from speech.models import Counts, Session
from tests.support.clients.downloads import body


@pytest.fixture
def session(owner):
    session = Session.acquire(owner, None)
    session.start("checksum", "en")
    words = [Word(0, 0, "well", 0.5, 0.9, 0.9), Word(1, 0, "<spoken>", 1.0, 1.4, 0.1)]
    session.commit(48_000, words, [Endpoint(0, 0.5, 1.4)], Counts(48_000, 0, 1))
    session.end()
    return session


def test_the_json_has_words_and_the_ledger(pages, session):
    transcript = json.loads(body(pages.get(f"/sessions/{session.pk}/transcript.json")))
    assert [word["text"] for word in transcript["segments"][0]["words"]] == ["well", "<spoken>"]
    assert transcript["ledger"] == {
        "recorded": 48_000,
        "received": 48_000,
        "stored": 48_000,
        "dropped": 0,
        "reconnects": 0,
        "engines_lost": 1,
    }


def test_the_page_shows_that_no_audio_was_lost(pages, session):
    assert "No audio lost" in pages.get(f"/sessions/{session.pk}/").content.decode()


def test_the_page_shows_dropped_audio(pages, session):
    Session.objects.update(dropped=24_000)
    assert "1.0 s not saved" in pages.get(f"/sessions/{session.pk}/").content.decode()


def test_words_are_escaped_and_low_confidence_is_marked(pages, session):
    html = pages.get(f"/sessions/{session.pk}/").content.decode()
    times = 'data-start="1.00" data-end="1.40" title="1.00 to 1.40 s · 10% confidence"'
    assert f'<span class="word word--unsure" {times}>&lt;spoken&gt;</span>' in html


@pytest.mark.parametrize("page", ["", "transcript.txt", "transcript.json"])
def test_other_users_find_nothing(session, page):
    other = Client()
    other.force_login(User.objects.create_user("eve@example.org", status="approved"))
    assert other.get(f"/sessions/{session.pk}/{page}").status_code == 404


def test_repeating_a_commit_changes_nothing(session):
    words = [Word(0, 0, "well", 0.5, 0.9, 0.9)]
    session.commit(48_000, words, [Endpoint(0, 0.5, 1.4)], Counts(48_000, 0, 1))
    session.refresh_from_db()
    assert session.opening == "well <spoken>"
    assert [segment.text for segment in session.segments.all()] == ["well <spoken>"]
    assert session.words.count() == 2


def test_a_stream_that_lost_the_session_commits_nothing(session):
    Session.acquire(session.owner, session.pk)
    assert not session.commit(96_000, [Word(2, 1, "late", 2, 2.4, 1.0)], [], Counts(96_000, 0, 1))
    assert session.words.count() == 2
