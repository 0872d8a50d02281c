"""What is told: who listens to which signal, and what a program learns of it."""

from typing import Any

from django.conf import settings
from django.dispatch import receiver
from django.urls import reverse

from accounts.models import User
from accounts.models.signals import signed_up
from speech.models import Session
from speech.models.signals import session_finished
from webhooks.models import Event, enqueue


@receiver(session_finished)
def on_session_finished(sender: type[Session], session: Session, **kwargs: Any) -> None:
    told = {
        "id": str(session.pk),
        "title": session.display_title,
        "engine": session.engine,
        "language": session.language,
        "started_at": session.started_at.isoformat() if session.started_at else None,
        "ended_at": session.ended_at.isoformat() if session.ended_at else None,
        "duration": session.duration,
        "url": _address("session", session.pk),
        "api_url": _address("rest_session", session.pk),
    }
    enqueue([session.owner], Event.SESSION_FINISHED, told)


@receiver(signed_up)
def on_user_signed_up(sender: type[User], user: User, **kwargs: Any) -> None:
    if user.status == User.Status.PENDING:
        told = {"id": user.pk, "email": user.email, "joined_at": user.date_joined.isoformat()}
        enqueue(User.objects.admins(), Event.USER_PENDING, {**told, "url": _address("approvals")})


def _address(name: str, *args: Any) -> str:
    return f"{settings.SITE_URL}{reverse(name, args=args)}"
