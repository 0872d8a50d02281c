"""Editing a transcript on the session's page."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.loader import render_to_string
from django.views.decorators.http import require_POST

from accounts.credentials.user_request import UserRequest
from speech.library.transcript_view import segment_view
from speech.models import ChangedMeanwhile, Correction, Segment, Session
from speech.models.corrections import TEXT_LENGTH
from speech.models.words import SPEAKER_LENGTH
from speech.text.find_replace import Replacement
from speech.text.whole_number import whole_number

MAX_SHOWN = 100
"""Maximum number of corrections that a page shows, newest first."""
SEGMENT_CHANGED = "This segment has been changed, perhaps in another window. Reload the page to see the current text."
SESSION_CHANGED = "Nothing replaced: the session has changed, perhaps in another window. Try again."


def changes_of(session: Session) -> list[Correction]:
    """The newest corrections, each with `is_undoable`."""
    corrections = list(session.corrections.select_related("by")[:MAX_SHOWN])
    made = session.segments.filter(created_by__isnull=False)
    bases = set(made.exclude(replaced_by=None).values_list("created_by", flat=True))
    for correction in corrections:
        correction.is_undoable = correction.undone_at is None and correction.pk not in bases  # type: ignore[attr-defined]
    return corrections


@require_POST
def correct(request: UserRequest, pk: str, segment: int) -> JsonResponse:
    """Apply one correction. The response has the ids of the replaced segments and the HTML of the new ones."""
    session = get_object_or_404(Session.objects.of(request.user), pk=pk)
    found = get_object_or_404(session.segments.select_related("session"), pk=segment)
    try:
        correction = _apply(request, found)
    except ChangedMeanwhile:
        return JsonResponse({"what": SEGMENT_CHANGED}, status=409)
    except ValueError as error:
        return JsonResponse({"what": str(error)}, status=400)
    return JsonResponse(
        {
            "replaced": [replaced.pk for replaced in correction.replaced.all()],
            "segments": _as_html(list(correction.made.select_related("session"))),
            "history": render_to_string("speech/session/history.html", _history(session), request),
        }
    )


def _apply(request: UserRequest, segment: Segment) -> Correction:
    data = request.POST
    match data.get("do"):
        case "text":
            return Correction.rewrite(segment, request.user, _check_length(TEXT_LENGTH, data.get("text", "")))
        case "speaker":
            return Correction.name_speaker(
                segment, request.user, _check_length(SPEAKER_LENGTH, data.get("speaker", ""))
            )
        case "split":
            word = whole_number(data.get("word", ""))
            if word is None:
                raise ValueError("Not split: “word” must be the number of a word. Send 1 or more.")
            return Correction.split(segment, request.user, word)
        case "merge":
            following = segment.following()
            if following is None:
                raise ValueError("This is the last segment; there is nothing to merge it with.")
            return Correction.merge(segment, following, request.user)
    raise ValueError("“do” must be text, speaker, split or merge.")


def _check_length(max_length: int, text: str) -> str:
    text = " ".join(text.split())
    if len(text) > max_length:
        raise ValueError(f"Not saved: it has {len(text)} characters, and the limit is {max_length}. Shorten it.")
    return text


def _as_html(segments: list[Segment]) -> str:
    views = [view for view in map(segment_view, segments) if view.words]
    return "".join(render_to_string("speech/session/segment.html", {"segment": view}) for view in views)


def _history(session: Session) -> dict[str, Any]:
    return {"session": session, "corrections": changes_of(session)}


@require_POST
def undo(request: UserRequest, pk: str, correction: int) -> HttpResponse:
    session = get_object_or_404(Session.objects.of(request.user), pk=pk)
    found = get_object_or_404(session.corrections, pk=correction)
    try:
        found.undo()
    except ChangedMeanwhile:
        messages.error(request, "Couldn't undo: there is a later change. Undo that one first.")
    else:
        messages.success(request, "Undone.")
    return redirect(session)


@require_POST
def replace(request: UserRequest, pk: str) -> HttpResponse:
    """Replace a text in the whole transcript."""
    session = get_object_or_404(Session.objects.of(request.user), pk=pk)
    find, replace_with = (" ".join(request.POST.get(name, "").split()) for name in ("find", "replace"))
    try:
        replacement = Replacement(find, replace_with, "case" in request.POST, "parts" in request.POST)
        correction, count = Correction.replace_all(session, request.user, replacement)
    except ChangedMeanwhile:
        messages.error(request, SESSION_CHANGED)
    except ValueError as error:
        messages.error(request, f"Nothing replaced. {error}")
    else:
        if correction:
            times = "once" if count == 1 else f"{count} times"
            messages.success(request, f"Replaced “{find}” {times}. You can undo this under Changes.")
        else:
            messages.error(request, f"Nothing replaced: “{find}” isn't in this session.")
    return redirect(session)
