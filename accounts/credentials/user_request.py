from collections.abc import Awaitable, Callable

from django.http import HttpRequest

from accounts.models import User


class UserRequest(HttpRequest):
    """A request of a logged-in user, as guaranteed by the login middleware."""

    user: User
    auser: Callable[[], Awaitable[User]]
