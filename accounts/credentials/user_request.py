from collections.abc import Awaitable, Callable

from django.http import HttpRequest

from accounts.models import User


class UserRequest(HttpRequest):
    """A request that the middleware lets through to a view behind the login."""

    user: User
    auser: Callable[[], Awaitable[User]]
