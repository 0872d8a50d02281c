"""Accounts, sessions and tokens for `/api/v1/`."""

from collections.abc import Callable

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from accounts.models import Token, User
from accounts.scopes import scopes_of
from speech.events import Endpoint
from speech.events import Word as SpokenWord
from speech.models import Counts, Session

SAID = "the crystal ball is on the table"


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
    """A program of the user's."""
    _, text = Token.create(user, Token.Kind.API, "a program", scopes_of(scopes), None)
    return Client(headers={"Authorization": f"Bearer {text}"})


@pytest.fixture
def client(user: User) -> Client:
    return client_of(user)


@pytest.fixture
def make_session() -> Callable[..., Session]:
    def make(owner: User, said: str = SAID) -> Session:
        session = Session.acquire(owner, None)
        session.begin("pocketsphinx", "en")
        texts = said.split()
        words = [SpokenWord(n, 0, text, 0.5 * n, 0.5 * n + 0.4, 0.9) for n, text in enumerate(texts)]
        end = 0.5 * len(texts)
        session.commit(int(24_000 * end), words, [Endpoint(0, 0.0, end)], Counts(int(24_000 * end), 0, 0))
        session.end()
        session.refresh_from_db()
        assert session.started_at <= timezone.now()
        return session

    return make
