"""Fixtures for tests with accounts."""

from collections.abc import Callable
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from accounts.models import Token, User
from accounts.scopes import scopes_of

MakeUser = Callable[..., User]
LogIn = Callable[[User], Client]
PASSWORD = "correct horse battery"


@pytest.fixture(autouse=True)
def _reset_rate_limits() -> None:
    cache.clear()


@pytest.fixture
def make_user(db: None) -> MakeUser:
    """Create a user: `make_user(status="pending", **fields)`."""
    numbers = count(1)

    def make(status: str = "pending", **fields: Any) -> User:
        fields = {"email": f"user{next(numbers)}@example.com", "password": PASSWORD, **fields}
        return User.objects.create_user(status=status, **fields)

    return make


@pytest.fixture
def admin(db: None) -> User:
    return User.objects.create_superuser("admin@example.com", PASSWORD)


@pytest.fixture
def log_in() -> LogIn:
    """Returns a new client in which the user is logged in."""

    def log_in(user: User) -> Client:
        client = Client()
        client.force_login(user)
        return client

    return log_in


@pytest.fixture
def log_in_with_password() -> LogIn:
    """Returns a new client in which the user has logged in with the password and reauthenticated."""

    def log_in_with_password(user: User) -> Client:
        client = Client()
        client.post("/accounts/login/", {"login": user.email, "password": PASSWORD})
        client.post("/accounts/reauthenticate/", {"password": PASSWORD})
        return client

    return log_in_with_password


@pytest.fixture
def admin_client(admin: User, log_in: LogIn) -> Client:
    return log_in(admin)


@pytest.fixture
def sign_up(db: None) -> Callable[..., Any]:
    """Sign up on the page: `sign_up(email, client=None)`."""

    def sign_up(email: str, client: Client | None = None) -> Any:
        form = {"email": email, "password1": PASSWORD, "password2": PASSWORD}
        return (client or Client()).post("/accounts/signup/", form)

    return sign_up


@pytest.fixture
def make_token(make_user: MakeUser) -> Callable[..., tuple[Token, str]]:
    """Create an API token. Returns it and its text: `make_token(user=None, scopes="stt tts sessions", days=None)`."""

    def make(user: User | None = None, scopes: str = "stt tts sessions", days: int | None = None) -> tuple[Token, str]:
        lifetime = timedelta(days=days) if days else None
        return Token.create(user or make_user("approved"), Token.Kind.API, "a program", scopes_of(scopes), lifetime)

    return make
