"""Deleting sessions, and restoring them: immediately by undo, or from the trash until they expire."""

from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_POST, require_safe

from accounts.credentials.user_request import UserRequest
from speech.models import Session, SessionQuerySet

UNDO_KEY = "last_deleted"
MAX_LISTED = 200
"""Maximum number of sessions on the page of the trash."""


def soft_delete(request: UserRequest, sessions: SessionQuerySet) -> None:
    """Move the ended sessions to the trash, and remember it for `pop_undo`."""
    moment, count = sessions.soft_delete()
    if not count:
        messages.error(request, "Nothing deleted: stop the live session first.")
        return
    message = "Session deleted." if count == 1 else f"{count} sessions deleted."
    request.session[UNDO_KEY] = {"at": moment.isoformat(), "message": message}


def pop_undo(request: HttpRequest) -> dict[str, str] | None:
    """Message and time of the last deletion, once. The time identifies the deleted sessions."""
    last: dict[str, str] | None = request.session.pop(UNDO_KEY, None)
    return last


@require_POST
def session_delete(request: UserRequest, pk: str) -> HttpResponse:
    session = get_object_or_404(Session.objects.of(request.user).started(), pk=pk)
    soft_delete(request, Session.objects.filter(pk=session.pk))
    return redirect("sessions")


@require_POST
def undo(request: UserRequest) -> HttpResponse:
    moment = _moment(request.POST.get("at", ""))
    count = Session.objects.deleted_at_moment(request.user, moment).restore() if moment else 0
    if not count:
        messages.error(request, "Couldn't restore: it was already restored or permanently deleted.")
    return redirect("sessions")


def _moment(text: str) -> datetime | None:
    """The time of a deletion in UTC. None if the text isn't one, or is at the edge of the calendar."""
    try:
        moment = parse_datetime(text)
        return moment.astimezone(UTC) if moment else None
    except (ValueError, OverflowError):
        return None


@require_safe
def trash(request: UserRequest) -> HttpResponse:
    context: dict[str, Any] = {
        "sessions": _deleted_of(request).order_by("-deleted_at")[:MAX_LISTED],
        "days": settings.DELETED_DAYS,
        "kept_for": timedelta(days=settings.DELETED_DAYS),
    }
    return render(request, "speech/trash.html", context)


@require_POST
def restore(request: UserRequest, pk: str) -> HttpResponse:
    session = get_object_or_404(_deleted_of(request), pk=pk)
    Session.objects.filter(pk=session.pk).restore()
    messages.success(request, f"“{session}” restored.")
    return redirect("trash")


@require_POST
def delete_permanently(request: UserRequest) -> HttpResponse:
    _deleted_of(request).delete()
    messages.success(request, "Deleted sessions permanently removed.")
    return redirect("trash")


def _deleted_of(request: UserRequest) -> SessionQuerySet:
    return Session.objects.filter(owner=request.user).exclude(deleted_at=None)
