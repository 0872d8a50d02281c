"""The API from which a reloaded live page loads the stored words."""

import pytest
from django.test import Client

from accounts.models import User
from speech.models import Session, Word

WORDS = ["in", "the", "heart", "of"]


@pytest.fixture
def owner(db):
    return User.objects.create_superuser("owner@example.org")


@pytest.fixture
def session(owner):
    session = Session.objects.create(owner=owner)
    for index, text in enumerate(WORDS):
        Word.objects.create(session=session, segment_index=index // 2, index=index, text=text, start=index, end=index)
    return session


def get_words(user, session, first=0):
    client = Client()
    client.force_login(user)
    return client.get(f"/api/sessions/{session.pk}/words/{first}/")


def test_the_owner_gets_words_in_the_format_of_the_websocket(owner, session):
    first, *_ = words = get_words(owner, session).json()["words"]
    assert [word["text"] for word in words] == WORDS
    assert first == {"index": 0, "segment": 0, "text": "in", "start": 0.0, "end": 0.0, "confidence": None}


def test_only_missing_words_are_sent(owner, session):
    assert [word["index"] for word in get_words(owner, session, first=3).json()["words"]] == [3]
    assert get_words(owner, session, first=10**30).json()["words"] == []


def test_other_users_get_not_found(session):
    other = User.objects.create_superuser("other@example.org")
    assert get_words(other, session).status_code == 404


def test_anonymous_requests_are_rejected(session):
    assert Client().get(f"/api/sessions/{session.pk}/words/0/").status_code == 401
