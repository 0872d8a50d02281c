"""The page of one session: transcript, audio, and its owner's settings."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from accounts.credentials.user_request import UserRequest
from speech.library.exports import FORMATS
from speech.library.recording.responses import flac_of, peaks_of, wav_of
from speech.models import Retention, Session, Tag
from speech.models.session import TITLE_LENGTH
from speech.models.tag import MAX_TAGS
from speech.pages.corrections import changes_of
from speech.pages.shares import DAYS
from speech.pages.transcript_context import AudioSource, transcript_context

MAX_DAYS = 3650


@require_safe
def session(request: UserRequest, pk: str) -> HttpResponse:
    session = _own_session(request, pk)
    flac, wav, peaks = (reverse(name, args=[pk]) for name in ("session_flac", "session_wav", "session_peaks"))
    context = transcript_context(request, session, AudioSource.of(session, flac, wav, peaks))
    return render(request, "speech/session_detail.html", context | _owner_context(session))


def _own_session(request: UserRequest, pk: str) -> Session:
    return get_object_or_404(Session.objects.of(request.user).started().select_related("conversation"), pk=pk)


def _owner_context(session: Session) -> dict[str, Any]:
    return {
        "formats": FORMATS.values(),
        "corrections": changes_of(session),
        "speakers": sorted(
            {name for name in session.segments.current().values_list("speaker", flat=True).distinct() if name}
        ),
        "shares": session.shares.open(),
        "share_days": DAYS,
        "names": ", ".join(str(tag) for tag in session.tags.all()),
        "tags": Tag.objects.filter(owner=session.owner_id),
        "retentions": Retention.choices,
        "retention_days": settings.RETENTION_DAYS,
        "deleted_days": settings.DELETED_DAYS,
    }


@require_safe
def flac(request: UserRequest, pk: str) -> HttpResponseBase:
    return flac_of(request, _own_session(request, pk))


@require_safe
def wav(request: UserRequest, pk: str) -> HttpResponseBase:
    return wav_of(request, _own_session(request, pk))


@require_safe
def peaks(request: UserRequest, pk: str) -> HttpResponse:
    return peaks_of(_own_session(request, pk))


class DetailsForm(forms.Form):
    title = forms.CharField(max_length=TITLE_LENGTH, required=False)
    tags = forms.CharField(max_length=500, required=False)
    retention = forms.ChoiceField(choices=Retention.choices)
    days = forms.IntegerField(min_value=1, max_value=MAX_DAYS, required=False)
    delete_audio = forms.BooleanField(required=False)

    def clean_tags(self) -> list[str]:
        names = [name for name in map(str.strip, self.cleaned_data["tags"].split(",")) if name]
        if len(names) > MAX_TAGS:
            raise forms.ValidationError(f"A session can have {MAX_TAGS} tags, not {len(names)}. Remove some.")
        return names

    def clean(self) -> dict[str, Any]:
        if self.cleaned_data.get("retention") == Retention.DAYS and not self.cleaned_data.get("days"):
            raise forms.ValidationError(f"Enter the number of days: 1 to {MAX_DAYS}.")
        return self.cleaned_data

    def apply(self, session: Session) -> None:
        data = self.cleaned_data
        session.title = " ".join(data["title"].split())
        session.save(update_fields=["title"])
        session.tag_as(data["tags"])
        session.set_retention(data["retention"], data["days"] or 0)
        if data["delete_audio"] and not session.is_live:
            session.delete_audio()


@require_POST
def details(request: UserRequest, pk: str) -> HttpResponse:
    session = _own_session(request, pk)
    form = DetailsForm(request.POST)
    if form.is_valid():
        form.apply(session)
        messages.success(request, "Saved.")
    else:
        problems = [str(error) for errors in form.errors.values() for error in errors]
        messages.error(request, " ".join(["Changes not saved.", *problems]))
    return redirect("session", pk)
