"""Revocation: when an account is no longer approved or a token is revoked, every process ends the streams of it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.dispatch import receiver

from accounts.credentials.principal import Caller
from accounts.models import Token, User
from accounts.models.signals import status_changed, token_revoked
from speech.errors import NotApproved, NotAuthenticated, StreamError
from speech.gateway.broadcast import broadcast, token_topic, user_topic
from speech.gateway.link import Link


@receiver(status_changed)
def end_streams_of_user(sender: type[User], user: User, **kwargs: Any) -> None:
    if not user.is_approved:
        broadcast(user_topic(user.pk), status=user.status, reason=user.decision_reason)


@receiver(token_revoked)
def end_streams_of_token(sender: type[Token], token: Token, **kwargs: Any) -> None:
    broadcast(token_topic(token.pk))


@contextmanager
def revocation_guard(caller: Caller, fail: Callable[[StreamError], None]) -> Iterator[None]:
    """Call `fail` when the caller's account is rejected, or the token revoked."""
    link = Link.current()

    def on_user_rejected(notice: dict[str, Any]) -> None:
        fail(NotApproved("Your account was rejected.", notice["reason"]))

    def on_token_revoked(notice: dict[str, Any]) -> None:
        fail(NotAuthenticated("The token was revoked.", "It was revoked, or it was used twice.", "Use another token."))

    with (
        link.subscribed(user_topic(caller.user.pk), on_user_rejected),
        link.subscribed(token_topic(caller.token), on_token_revoked),
    ):
        yield
