"""A user who is no longer approved, or a token that was revoked, loses the live streams at once."""

from typing import Any

from django.dispatch import receiver

from accounts.models import Token, User
from accounts.models.signals import status_changed, token_revoked
from speech.gateway.broadcast import broadcast, token_topic, user_topic


@receiver(status_changed)
def end_streams_of_user(sender: type[User], user: User, **kwargs: Any) -> None:
    if not user.is_approved:
        broadcast(user_topic(user.pk), status=user.status, reason=user.decision_reason)


@receiver(token_revoked)
def end_streams_of_token(sender: type[Token], token: Token, **kwargs: Any) -> None:
    broadcast(token_topic(token.pk))
