"""Accounts, sessions and tokens for `/api/v1/`."""

from collections.abc import Callable

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from accounts.models import Token, User
from accounts.scopes import scopes_of
from speech.events import Endpoint
from speech.events import Word as TimedWord
from speech.models import Counts, Session

TEXT = "the crystal ball is on the table"


@pytest.fixture(autouse=True)
def _fresh_rate_limits() -> None:
    cache.clear()


@pytest.fixture
def user(db: None) -> User:
    return User.objects.create_user("user@example.org", status="approved")


@pytest.fixture
def other(db: None) -> User:
    return User.objects.create_user("other@example.org", status="approved")


@pytest.fixture
def admin(db: None) -> User:
    return User.objects.create_superuser("admin@example.org")


def client_of(user: User, scopes: str = "stt tts sessions") -> Client:
    """Client with an API token of the user."""
    _, token = Token.create(user, Token.Kind.API, "a program", scopes_of(scopes), None)
    return Client(headers={"Authorization": f"Bearer {token}"})


@pytest.fixture
def client(user: User) -> Client:
    return client_of(user)


@pytest.fixture
def make_session() -> Callable[..., Session]:
    def make(owner: User, text: str = TEXT) -> Session:
        session = Session.acquire(owner, None)
        session.start("pocketsphinx", "en")
        texts = text.split()
        words = [TimedWord(n, 0, word, 0.5 * n, 0.5 * n + 0.4, 0.9) for n, word in enumerate(texts)]
        end = 0.5 * len(texts)
        session.commit(int(24_000 * end), words, [Endpoint(0, 0.0, end)], Counts(int(24_000 * end), 0, 0))
        session.end()
        session.refresh_from_db()
        assert session.started_at <= timezone.now()
        return session

    return make
