"""Audio of a session, for its owner only."""

from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from accounts.credentials.user_request import UserRequest
from speech.library.recording.responses import flac_of, peaks_of, wav_of
from speech.models import Session


@require_safe
def flac(request: UserRequest, pk: str) -> HttpResponseBase:
    return flac_of(request, _own_session(request, pk))


@require_safe
def wav(request: UserRequest, pk: str) -> HttpResponseBase:
    return wav_of(request, _own_session(request, pk))


@require_safe
def peaks(request: UserRequest, pk: str) -> HttpResponse:
    return peaks_of(_own_session(request, pk))


def _own_session(request: UserRequest, pk: str) -> Session:
    return get_object_or_404(Session.objects.of(request.user).started(), pk=pk)
