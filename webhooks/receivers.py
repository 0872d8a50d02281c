"""Signal receivers that store webhook deliveries, and the data they contain."""

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
    data = {
        "id": str(session.pk),
        "title": session.display_title,
        "engine": session.engine,
        "language": session.language,
        "started_at": session.started_at.isoformat() if session.started_at else None,
        "ended_at": session.ended_at.isoformat() if session.ended_at else None,
        "duration": session.duration,
        "url": _url("session", session.pk),
        "api_url": _url("api_session", session.pk),
    }
    enqueue([session.owner], Event.SESSION_FINISHED, data)


@receiver(signed_up)
def on_user_signed_up(sender: type[User], user: User, **kwargs: Any) -> None:
    if user.status == User.Status.PENDING:
        data = {"id": user.pk, "email": user.email, "joined_at": user.date_joined.isoformat()}
        enqueue(User.objects.admins(), Event.USER_PENDING, {**data, "url": _url("approvals")})


def _url(name: str, *args: Any) -> str:
    return f"{settings.SITE_URL}{reverse(name, args=args)}"
