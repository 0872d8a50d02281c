"""Stored words under `/api/v1/`, from which a reloaded live page fills its transcript."""

import pytest
from django.test import Client

from accounts.models import User
from tests.api.conftest import TEXT, client_of

WORDS = TEXT.split()


@pytest.fixture
def session(user, make_session):
    return make_session(user)


@pytest.fixture
def browser(user):
    browser = Client()
    browser.force_login(user)
    return browser


def get_words(client, session, **params):
    return client.get(f"/api/v1/sessions/{session.pk}/words/", params)


def test_the_owner_gets_words_in_the_format_of_the_websocket(browser, session):
    first, *_ = words = get_words(browser, session).json()["results"]
    assert [word["text"] for word in words] == WORDS
    assert first == {"index": 0, "segment": 0, "text": "the", "start": 0.0, "end": 0.4, "confidence": 0.9}


def test_only_missing_words_are_sent(client, session):
    assert [word["index"] for word in get_words(client, session, first=5).json()["results"]] == [5, 6]
    assert get_words(client, session, first=10**30).json()["results"] == []


def test_a_page_has_up_to_5000_words(client, session, user, make_session):
    first = get_words(client, session, per_page=3).json()
    assert (len(first["results"]), first["count"]) == (3, len(WORDS))
    rest = get_words(client, session, first=3, per_page=5000).json()
    assert ([word["text"] for word in first["results"] + rest["results"]], rest["next"]) == (WORDS, None)
    long = make_session(user, "word " * 5001)
    assert len(get_words(client, long, per_page=9999).json()["results"]) == 5000


@pytest.mark.parametrize("first", ["-1", "one", "1.5"])
def test_an_invalid_index_is_rejected(client, session, first):
    response = get_words(client, session, first=first)
    assert (response.status_code, list(response.json()["errors"])) == (400, ["first"])


def test_words_of_deleted_sessions_and_of_others_are_not_found(client, session, other):
    assert get_words(client_of(other), session).status_code == 404
    administrator = User.objects.create_superuser("boss@example.org")
    assert get_words(client_of(administrator), session).status_code == 404
    client.delete(f"/api/v1/sessions/{session.pk}/")
    assert get_words(client, session).status_code == 404


def test_anonymous_requests_are_rejected(session):
    assert get_words(Client(), session).status_code == 401
