"""Share links of a session: creating and revoking them, and the pages they open."""

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from accounts.credentials.user_request import UserRequest
from speech.library.recording.responses import flac_of, peaks_of, wav_of
from speech.models import Session, Share
from speech.pages.transcript_context import AudioSource, transcript_context

DAYS = [1, 7, 30]
MAX_LINKS = 20
"""Maximum number of open links per session."""


class ShareForm(forms.Form):
    days = forms.TypedChoiceField(choices=[(days, days) for days in DAYS], coerce=int)
    has_audio = forms.BooleanField(required=False)


@require_POST
def share(request: UserRequest, pk: str) -> HttpResponse:
    session = get_object_or_404(Session.objects.of(request.user).started(), pk=pk)
    form = ShareForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Couldn't create a link: choose when it expires.")
    elif session.shares.open().count() >= MAX_LINKS:
        messages.error(request, f"Couldn't create a link: you already have {MAX_LINKS}. Revoke one first.")
    else:
        Share.create(session, form.cleaned_data["days"], form.cleaned_data["has_audio"])
    return redirect(f"{session.get_absolute_url()}#share")


@require_POST
def revoke(request: UserRequest, pk: str, share: int) -> HttpResponse:
    session = get_object_or_404(Session.objects.of(request.user), pk=pk)
    get_object_or_404(session.shares, pk=share).revoke()
    messages.success(request, "The link no longer works.")
    return redirect(f"{session.get_absolute_url()}#share")


# --- Pages that a link opens: read-only, for anyone with the link ----------------------------------------------------


@login_not_required
@require_safe
def shared(request: HttpRequest, token: str) -> HttpResponse:
    share = _open_share(token)
    flac, wav, peaks = (reverse(name, args=[token]) for name in ("shared_flac", "shared_wav", "shared_peaks"))
    audio = AudioSource.of(share.session, flac, wav, peaks) if share.has_audio else None
    context = transcript_context(request, share.session, audio) | {"share": share}
    return _unlisted(render(request, "speech/shared.html", context))


@login_not_required
@require_safe
def flac(request: HttpRequest, token: str) -> HttpResponseBase:
    return flac_of(request, _shared_audio(token))


@login_not_required
@require_safe
def wav(request: HttpRequest, token: str) -> HttpResponseBase:
    return wav_of(request, _shared_audio(token))


@login_not_required
@require_safe
def peaks(request: HttpRequest, token: str) -> HttpResponse:
    return peaks_of(_shared_audio(token))


def _open_share(token: str) -> Share:
    return get_object_or_404(Share.objects.open().select_related("session"), token=token)


def _shared_audio(token: str) -> Session:
    share = _open_share(token)
    if not share.has_audio:
        raise Http404("This link doesn't include audio.")
    return share.session


def _unlisted(response: HttpResponse) -> HttpResponse:
    """Keep the link from search engines and from sites that the reader opens next."""
    response.headers["X-Robots-Tag"] = "noindex"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response
