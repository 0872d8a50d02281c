"""Deleting sessions, and putting them back: at once, or from the list of what was deleted, until its time is over."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_POST, require_safe

from accounts.credentials.user_request import UserRequest
from speech.models import Session, SessionQuerySet

KEY = "last_deleted"
MAX_LISTED = 200
"""Of what was deleted, on its page."""


def soft_delete(request: UserRequest, chosen: SessionQuerySet) -> None:
    """Delete those of them that are over, and remember it for `offer`."""
    moment, count = chosen.soft_delete()
    if not count:
        messages.error(request, "Nothing was deleted: a session that is still going on has to end first.")
        return
    told = "The session was deleted." if count == 1 else f"{count} sessions were deleted."
    request.session[KEY] = {"at": moment.isoformat(), "told": told}


def offer(request: HttpRequest) -> dict[str, str] | None:
    """What to tell of what was deleted last, once, and the name by which to put it back."""
    last: dict[str, str] | None = request.session.pop(KEY, None)
    return last


@require_POST
def session_delete(request: UserRequest, pk: str) -> HttpResponse:
    session = get_object_or_404(Session.objects.of(request.user).begun(), pk=pk)
    soft_delete(request, Session.objects.filter(pk=session.pk))
    return redirect("sessions")


@require_POST
def undo(request: UserRequest) -> HttpResponse:
    moment = parse_datetime(request.POST.get("at", ""))
    count = Session.objects.deleted_at_moment(request.user, moment).restore() if moment else 0
    if not count:
        messages.error(request, "Nothing was put back: it was put back already, or is gone for good.")
    return redirect("sessions")


@require_safe
def trash(request: UserRequest) -> HttpResponse:
    context: dict[str, Any] = {
        "sessions": _deleted_of(request).order_by("-deleted_at")[:MAX_LISTED],
        "days": settings.DELETED_DAYS,
        "kept_for": timedelta(days=settings.DELETED_DAYS),
    }
    return render(request, "speech/deleted.html", context)


@require_POST
def restore(request: UserRequest, pk: str) -> HttpResponse:
    session = get_object_or_404(_deleted_of(request), pk=pk)
    Session.objects.filter(pk=session.pk).restore()
    messages.success(request, f"“{session}” is back.")
    return redirect("sessions_deleted")


@require_POST
def delete_permanently(request: UserRequest) -> HttpResponse:
    _deleted_of(request).delete()
    messages.success(request, "What was deleted is gone for good.")
    return redirect("sessions_deleted")


def _deleted_of(request: UserRequest) -> SessionQuerySet:
    return Session.objects.filter(owner=request.user).exclude(deleted_at=None)
