"""Recordings over HTTP."""

from functools import partial
from pathlib import Path

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase

from speech.library.recording import Recording
from speech.library.recording.byte_ranges import range_response
from speech.library.recording.wav import HEADER_BYTES, read_bytes, wav_header
from speech.models import Session


def flac_of(request: HttpRequest, session: Session) -> HttpResponseBase:
    """The whole recording, once it is compressed."""
    path = Recording(session.pk).flac
    if path is None:
        raise Http404("No audio, or it isn't compressed yet.")
    response = range_response(request, path.stat().st_size, partial(_read, path), "audio/flac")
    response.headers["Content-Disposition"] = f'inline; filename="{session.file_name}.flac"'
    return response


def wav_of(request: HttpRequest, session: Session) -> HttpResponseBase:
    """The first `samples` of the recording; works during recording."""
    recording = Recording(session.pk)
    requested = request.GET.get("samples", "")
    samples = min(recording.samples, int(requested)) if requested.isdecimal() else recording.samples
    if not samples:
        raise Http404("No audio saved.")
    size = HEADER_BYTES + 2 * samples
    head = wav_header(samples)
    return range_response(request, size, partial(read_bytes, recording, head), "audio/wav")


def peaks_of(session: Session) -> HttpResponse:
    """Loudness, one byte per 50 ms."""
    response = HttpResponse(Recording(session.pk).peaks(), content_type="application/octet-stream")
    response.headers["Cache-Control"] = "private, no-store"
    return response


def _read(path: Path, first: int, end: int) -> bytes:
    with path.open("rb") as file:
        file.seek(first)
        return file.read(end - first)
