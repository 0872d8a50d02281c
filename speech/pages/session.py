"""The page of one session: reading it, listening to it, and what its owner decides about it."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from accounts.credentials.user_request import UserRequest
from speech.library.exports import FORMATS
from speech.models import Retention, Session, Tag
from speech.models.session import TITLE_LENGTH
from speech.pages.corrections import changes_of
from speech.pages.shares import DAYS
from speech.pages.transcript_context import AudioSource, transcript_context

MAX_DAYS = 3650


@require_safe
def session(request: UserRequest, pk: str) -> HttpResponse:
    session = get_object_or_404(Session.objects.of(request.user).begun(), pk=pk)
    flac, wav, peaks = (reverse(name, args=[pk]) for name in ("session_flac", "session_wav", "session_peaks"))
    context = transcript_context(request, session, AudioSource.of(session, flac, wav, peaks))
    return render(request, "speech/session_detail.html", context | _retention_choices(session))


def _retention_choices(session: Session) -> dict[str, Any]:
    return {
        "formats": FORMATS.values(),
        "corrections": changes_of(session),
        "speakers": sorted({u for u in session.segments.current().values_list("speaker", flat=True).distinct() if u}),
        "shares": session.shares.open(),
        "share_days": DAYS,
        "names": ", ".join(str(tag) for tag in session.tags.all()),
        "tags": Tag.objects.filter(owner=session.owner_id),
        "retentions": Retention.choices,
        "retention_days": settings.RETENTION_DAYS,
        "deleted_days": settings.DELETED_DAYS,
    }


class DetailsForm(forms.Form):
    title = forms.CharField(max_length=TITLE_LENGTH, required=False)
    tags = forms.CharField(max_length=500, required=False)
    retention = forms.ChoiceField(choices=Retention.choices)
    days = forms.IntegerField(min_value=1, max_value=MAX_DAYS, required=False)
    without_sound = forms.BooleanField(required=False)

    def clean(self) -> dict[str, Any]:
        if self.cleaned_data.get("retention") == Retention.DAYS and not self.cleaned_data.get("days"):
            raise forms.ValidationError(f"Say for how many days to keep it: 1 to {MAX_DAYS}.")
        return self.cleaned_data

    def apply(self, session: Session) -> None:
        wanted = self.cleaned_data
        session.title = " ".join(wanted["title"].split())
        session.save(update_fields=["title"])
        session.tag_as(wanted["tags"].split(","))
        session.set_retention(wanted["retention"], wanted["days"] or 0)
        if wanted["without_sound"] and not session.is_live:
            session.delete_audio()


@require_POST
def details(request: UserRequest, pk: str) -> HttpResponse:
    session = get_object_or_404(Session.objects.of(request.user).begun(), pk=pk)
    form = DetailsForm(request.POST)
    if form.is_valid():
        form.apply(session)
        messages.success(request, "Saved.")
    else:
        told = [str(error) for errors in form.errors.values() for error in errors]
        messages.error(request, " ".join(["Nothing was saved.", *told]))
    return redirect("session", pk)
