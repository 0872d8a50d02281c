"""The “Your data” page: storage used, and a download of everything."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec
from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.credentials.user_request import UserRequest
from accounts.models import User
from speech.library.exports import FORMATS, Document, Options
from speech.library.exports.archive import File
from speech.library.exports.responses import download_archive
from speech.library.one_at_a_time import Busy
from speech.library.recording import Recording
from speech.models import Conversation, ConversationUsage, Persona, Session

CHUNK = 1 << 20  # bytes


@require_safe
def data_export(request: UserRequest) -> HttpResponse:
    sessions = Session.objects.of(request.user)
    context = {
        "usage": sessions.usage(),
        "count": sessions.started().count(),
        "conversation_usage": ConversationUsage.of(request.user),
        "settings": settings,
    }
    return render(request, "speech/data_export.html", context)


@require_POST
def download_all(request: UserRequest) -> HttpResponseBase:
    """A ZIP written while it is sent, because it may be larger than the free disk space."""
    try:
        return download_archive(request.user, _files_of(request.user), f"speech-{timezone.localdate()}")
    except Busy:
        messages.error(request, "You are downloading another archive. Try again when it is finished.")
        return redirect("data_export")


def _files_of(user: User) -> Iterator[File]:
    yield "account", "json", [msgspec.json.format(msgspec.json.encode(_account(user)))]
    for session in (
        Session.objects.filter(owner=user)
        .exclude(started_at=None)
        .select_related("owner")
        .order_by("created_at")
        .iterator(100)
    ):
        folder = f"sessions/{session.file_name}-{str(session.pk)[:8]}"
        for extension in ("txt", "json"):
            yield f"{folder}/transcript", extension, FORMATS[extension].write(Document.of(session), Options())
        yield f"{folder}/session", "json", [msgspec.json.format(msgspec.json.encode(_session(session)))]
        if flac := Recording(session.pk).flac:
            yield f"{folder}/audio", "flac", _chunks_of(flac)


USAGE_FIELDS = ("conversations", "replies", "played_samples", "prompt_tokens", "completion_tokens")


def _account(user: User) -> dict[str, Any]:
    return {
        "email": user.email,
        "time_zone": user.time_zone,
        "status": user.status,
        "date_joined": user.date_joined,
        "last_login": user.last_login,
        "decided_at": user.decided_at,
        "decision_reason": user.decision_reason,
        "tags": [str(tag) for tag in user.tags.all()],
        "personas": list(Persona.objects.filter(owner=user).values("name", "instructions", "created_at")),
        "conversation_usage": ConversationUsage.objects.filter(owner=user).values(*USAGE_FIELDS).first(),
    }


CONVERSATION_FIELDS = (
    *("instructions", "model", "voice", "voice_engine"),
    *("turns", "prompt_tokens", "completion_tokens", "played_samples"),
)


def _session(session: Session) -> dict[str, Any]:
    """Data that the transcript lacks: the original words, the edits, the conversation's settings, retention and share
    links."""
    conversation = Conversation.objects.filter(session=session).values(*CONVERSATION_FIELDS).first()
    return {
        "tags": [str(tag) for tag in session.tags.all()],
        "created_at": session.created_at,
        "ended_at": session.ended_at,
        "deleted_at": session.deleted_at,
        "retention": session.retention,
        "expires_at": session.expires_at,
        "original_words": list(session.words.values("index", "segment_index", "text", "start", "end", "confidence")),
        "corrections": list(session.corrections.values("kind", "at", "start", "before", "after", "undone_at")),
        "conversation": conversation,
        "links": list(session.shares.values("created_at", "expires_at", "revoked_at", "has_audio")),
    }


def _chunks_of(path: Path) -> Iterable[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            yield chunk
