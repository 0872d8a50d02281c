"""What a caller has open ends when the account is rejected or the token revoked."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from accounts.credentials.principal import Caller
from speech.errors import NotApproved, NotAuthenticated, StreamError
from speech.gateway.broadcast import token_topic, user_topic
from speech.gateway.link import Link


@contextmanager
def revocation_guard(caller: Caller, fail: Callable[[StreamError], None]) -> Iterator[None]:
    """`fail` is called when the caller's account is rejected, or the token revoked."""
    link = Link.current()

    def hear_of_user(notice: dict[str, Any]) -> None:
        fail(NotApproved("Your account was rejected.", notice["reason"]))

    def hear_of_token(notice: dict[str, Any]) -> None:
        fail(NotAuthenticated("The token was revoked.", "Whoever has it may no longer use it."))

    with (
        link.subscribed(user_topic(caller.user.pk), hear_of_user),
        link.subscribed(token_topic(caller.token), hear_of_token),
    ):
        yield
