"""The page of voices, and the files of what was spoken there."""

from typing import Any
from uuid import UUID

from asgiref.sync import sync_to_async
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.shortcuts import get_object_or_404, render
from django.templatetags.static import static
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from accounts.credentials.user_request import UserRequest
from accounts.models import User
from inference.messages import BYTES_PER_SAMPLE, SAMPLE_RATE, Status
from speech.dialects.encoder import FORMATS, Encoder
from speech.gateway.link import Link
from speech.library.transcript_view import iterate_segments
from speech.models import Session
from speech.synthesis.job import MAX_TEXT

MAX_FILE = 100_000_000
"""Bytes of PCM, half an hour."""
CHUNK = SAMPLE_RATE * BYTES_PER_SAMPLE


@require_safe
async def voices(request: UserRequest) -> HttpResponse:
    """`?session=` has a session's words to be read aloud, from second `after` on; the page knows `voice` and `text`."""
    user = await request.auser()
    engines = await Link.current().tts_engines()
    config: dict[str, Any] = {
        "tickets": reverse("tickets"),
        "socket": "/ws/voices/",
        "files": reverse("voices_file", args=["FORMAT"]),
        "owner": user.pk,
        "standing": reverse("standing"),
        "worklet": static("js/audio/playback-worklet.js"),
        "longestText": MAX_TEXT,
        "engines": [_engine(status) for status in engines.values()],
        "session": await sync_to_async(_session_text)(user, request.GET),
    }
    return await sync_to_async(render)(request, "speech/voices.html", {"config": config})


def _engine(status: Status) -> dict[str, Any]:
    controls = ("name", "label", "default", "minimum", "maximum", "step")
    fields = ("name", "label", "language", "kind", "description")
    return {
        "name": status.engine,
        "label": status.label,
        "controls": [{field: getattr(control, field) for field in controls} for control in status.controls],
        "voices": [{field: getattr(voice, field) for field in fields} for voice in status.voices or []],
    }


def _session_text(user: User, asked: QueryDict) -> dict[str, Any] | None:
    """What was said, an utterance a line, as far as it may be spoken at once; `rest` is the address of what is not."""
    if not (pk := asked.get("session")):
        return None
    session = get_object_or_404(Session.objects.of(user).begun(), pk=_uuid(pk))
    told = {
        "name": session.display_title,
        "url": session.get_absolute_url(),
        "language": session.language,
        "rest": "",
    }
    lines, length = [], 0
    for utterance in iterate_segments(session):
        if utterance.start < _seconds(asked.get("after", "")):
            continue
        length += len(utterance.text) + 1
        if length > MAX_TEXT:
            told["rest"] = f"?session={session.pk}&after={utterance.start}"
            break
        lines.append(utterance.text)
    return {**told, "text": "\n".join(lines)}


def _seconds(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Http404 from None


@require_POST
def voices_file(request: HttpRequest, extension: str) -> HttpResponse:
    """The body, s16le at 24 kHz, as a file: what was spoken is kept by the browser that asked for it, not here."""
    if extension not in FORMATS:
        return _error_response(404, f"There is no format “{extension}”; there are {', '.join(FORMATS)}.")
    size = int(request.headers.get("Content-Length") or 0)
    if not 0 < size <= MAX_FILE:
        return _error_response(413, f"A file is made of 1 to {MAX_FILE:,} bytes of audio, and these are {size:,}.")
    pcm = request.read(size)
    if len(pcm) % BYTES_PER_SAMPLE:
        return _error_response(400, "The audio is no whole number of samples of two bytes.")
    return HttpResponse(_encoded(pcm, extension), content_type=FORMATS[extension].content_type)


def _encoded(pcm: bytes, extension: str) -> bytes:
    encoder = Encoder(FORMATS[extension])
    pieces = (pcm[start : start + CHUNK] for start in range(0, len(pcm), CHUNK))
    return b"".join(encoder.add(piece) for piece in pieces) + encoder.end()


def _error_response(status: int, message: str) -> JsonResponse:
    return JsonResponse({"detail": message}, status=status)
