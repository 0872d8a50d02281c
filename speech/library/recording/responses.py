"""Recordings over HTTP."""

from functools import partial
from pathlib import Path

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase

from speech.library.one_at_a_time import Busy, OneAtATime
from speech.library.recording import Recording
from speech.library.recording.byte_ranges import range_response
from speech.library.recording.wav import HEADER_BYTES, read_bytes, wav_header
from speech.models import Session
from speech.text.whole_number import whole_number

_computing_peaks = OneAtATime()


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
    requested = whole_number(request.GET.get("samples", ""))
    samples = recording.samples if requested is None else min(recording.samples, requested)
    if not samples:
        raise Http404("No audio saved.")
    size = HEADER_BYTES + 2 * samples
    head = wav_header(samples)
    return range_response(request, size, partial(read_bytes, recording, head), "audio/wav")


def peaks_of(session: Session) -> HttpResponse:
    """Loudness, one byte per 50 ms. While the recording is not compressed, it is computed from all of it."""
    try:
        end = _computing_peaks.begin(session.pk)
    except Busy:
        return HttpResponse("The waveform is being computed. Try again.", status=429, headers={"Retry-After": "2"})
    try:
        peaks = Recording(session.pk).peaks()
    finally:
        end()
    return HttpResponse(peaks, content_type="application/octet-stream")


def _read(path: Path, first: int, end: int) -> bytes:
    with path.open("rb") as file:
        file.seek(first)
        return file.read(end - first)
