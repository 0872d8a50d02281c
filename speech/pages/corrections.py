"""Correcting what was heard, where it is read."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.loader import render_to_string
from django.views.decorators.http import require_POST

from accounts.credentials.user_request import UserRequest
from speech.library.transcript_view import of_segment
from speech.models import ChangedMeanwhile, Correction, Segment, Session
from speech.models.corrections import TEXT_LENGTH
from speech.models.words import SPEAKER_LENGTH
from speech.text.find_replace import Replacement

MAX_SHOWN = 100
"""Corrections that a page tells of, the newest."""
CHANGED_MEANWHILE = (
    "This utterance was changed meanwhile, maybe in another window. Load the page again to see how it reads now."
)
UNDO_CHANGED_MEANWHILE = "Nothing was replaced: the session was changed meanwhile, maybe in another window. Try again."


def changes_of(session: Session) -> list[Correction]:
    """Each with `is_undoable`."""
    corrections = list(session.corrections.select_related("by")[:MAX_SHOWN])
    made = session.segments.filter(created_by__isnull=False)
    bases = set(made.exclude(replaced_by=None).values_list("created_by", flat=True))
    for correction in corrections:
        correction.is_undoable = correction.undone_at is None and correction.pk not in bases  # type: ignore[attr-defined]
    return corrections


@require_POST
def correct(request: UserRequest, pk: str, segment: int) -> JsonResponse:
    """Answers which segments stand no more, and how those that took their places look."""
    session = get_object_or_404(Session.objects.of(request.user), pk=pk)
    found = get_object_or_404(session.segments.select_related("session"), pk=segment)
    try:
        correction = _apply(request, found)
    except ChangedMeanwhile:
        return JsonResponse({"what": CHANGED_MEANWHILE}, status=409)
    except ValueError as error:
        return JsonResponse({"what": str(error)}, status=400)
    return JsonResponse(
        {
            "replaced": [replaced.pk for replaced in correction.replaced.all()],
            "utterances": _as_html(list(correction.made.select_related("session"))),
            "history": render_to_string("speech/session/history.html", _history(session), request),
        }
    )


def _apply(request: UserRequest, segment: Segment) -> Correction:
    wanted = request.POST
    match wanted.get("do"):
        case "text":
            return Correction.rewrite(segment, request.user, _check_length(TEXT_LENGTH, wanted.get("text", "")))
        case "speaker":
            return Correction.name_speaker(
                segment, request.user, _check_length(SPEAKER_LENGTH, wanted.get("speaker", ""))
            )
        case "split":
            return Correction.split(segment, request.user, int(wanted.get("word", "")))
        case "merge":
            following = segment.following()
            if following is None:
                raise ValueError("It is the last utterance: there is none to join it with.")
            return Correction.merge(segment, following, request.user)
    raise ValueError("A correction is one of text, speaker, split and merge.")


def _check_length(length: int, text: str) -> str:
    text = " ".join(text.split())
    if len(text) > length:
        raise ValueError(f"{len(text)} characters are too many: {length} is the most.")
    return text


def _as_html(segments: list[Segment]) -> str:
    read = [utterance for utterance in map(of_segment, segments) if utterance.words]
    return "".join(render_to_string("speech/session/utterance.html", {"utterance": utterance}) for utterance in read)


def _history(session: Session) -> dict[str, Any]:
    return {"session": session, "corrections": changes_of(session)}


@require_POST
def undo(request: UserRequest, pk: str, correction: int) -> HttpResponse:
    session = get_object_or_404(Session.objects.of(request.user), pk=pk)
    found = get_object_or_404(session.corrections, pk=correction)
    try:
        found.undo()
    except ChangedMeanwhile:
        messages.error(request, "Nothing was undone: what it made was changed since. Undo the later change first.")
    else:
        messages.success(request, "Undone.")
    return redirect(session)


@require_POST
def replace(request: UserRequest, pk: str) -> HttpResponse:
    """One text for another, wherever it was said."""
    session = get_object_or_404(Session.objects.of(request.user), pk=pk)
    wanted, by = (" ".join(request.POST.get(name, "").split()) for name in ("find", "replace"))
    try:
        replacement = Replacement(wanted, by, "case" in request.POST, "parts" in request.POST)
        correction, times = Correction.replace_all(session, request.user, replacement)
    except ChangedMeanwhile:
        messages.error(request, UNDO_CHANGED_MEANWHILE)
    except ValueError as error:
        messages.error(request, f"Nothing was replaced. {error}")
    else:
        if correction:
            count = "once" if times == 1 else f"{times} times"
            messages.success(request, f"“{wanted}” was replaced {count}. It can be taken back under Changes.")
        else:
            messages.error(request, f"Nothing was replaced: “{wanted}” is nowhere in this session.")
    return redirect(session)
