"""The `session` parameter of a page's URL."""

from uuid import UUID

from django.http import Http404
from django.shortcuts import get_object_or_404

from speech.models import Session
from speech.models.session_set import SessionQuerySet


def session_named(text: str, sessions: SessionQuerySet) -> Session:
    """Return the one of `sessions` with this ID. Raises `Http404`."""
    try:
        pk = UUID(text)
    except ValueError:
        raise Http404 from None
    return get_object_or_404(sessions, pk=pk)
