"""The Voices page, and audio files of its clips."""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from asgiref.sync import sync_to_async
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse, QueryDict
from django.shortcuts import render
from django.templatetags.static import static
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from accounts.credentials.user_request import UserRequest
from accounts.models import User
from inference.messages import BYTES_PER_SAMPLE, SAMPLE_RATE
from speech.dialects.encoder import FORMATS, Encoder
from speech.gateway.link import Link
from speech.library.one_at_a_time import Busy, ExclusiveResponse, OneAtATime
from speech.library.transcript_view import iterate_segments
from speech.models import Session
from speech.pages.streaming.choices import tts_engines
from speech.pages.streaming.session_parameter import session_named
from speech.synthesis.text_input import MAX_TEXT

MAX_FILE = 100_000_000
"""Bytes of PCM; half an hour."""
CHUNK = 5 * SAMPLE_RATE * BYTES_PER_SAMPLE
"""Bytes encoded at a time: five seconds take some 20 ms."""

_encoders = ThreadPoolExecutor(2, "encoder")
"""The files of all users take this many processor cores at most, a chunk of each in turn."""
_running = OneAtATime()


@require_safe
async def voices(request: UserRequest) -> HttpResponse:
    """`?session=` loads a session's transcript to be read aloud, from second `after`; JavaScript handles `voice` and
    `text`."""
    user = await request.auser()
    engines = await Link.current().workers.tts_engines()
    config: dict[str, Any] = {
        "tickets": reverse("tickets"),
        "socket": "/ws/voices/",
        "files": reverse("voices_file", args=["FORMAT"]),
        "owner": user.pk,
        "approvalStatus": reverse("approval_status"),
        "worklet": static("js/playback/playback-worklet.js"),
        "maxTextLength": MAX_TEXT,
        "engines": tts_engines(engines),
        "session": await sync_to_async(_session_text)(user, request.GET),
    }
    return await sync_to_async(render)(request, "speech/voices.html", {"config": config})


def _session_text(user: User, query: QueryDict) -> dict[str, Any] | None:
    """Transcript with one segment per line, up to the length limit; `rest` is the URL of the remainder."""
    if not (pk := query.get("session")):
        return None
    session = session_named(pk, Session.objects.of(user).started())
    config = {
        "name": session.display_title,
        "url": session.get_absolute_url(),
        "language": session.language,
        "rest": "",
    }
    lines, length = [], 0
    for segment in iterate_segments(session):
        if segment.start < _seconds(query.get("after", "")):
            continue
        length += len(segment.text) + 1
        if length > MAX_TEXT:
            config["rest"] = f"?session={session.pk}&after={segment.start}"
            break
        lines.append(segment.text)
    return {**config, "text": "\n".join(lines)}


def _seconds(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0


@require_POST
async def voices_file(request: UserRequest, extension: str) -> HttpResponseBase:
    """Encode the body, s16le at 24 kHz, as an audio file, while it is sent. Only the browser stores clips, not the
    server."""
    if extension not in FORMATS:
        return _error_response(404, f"Unknown format “{extension}”. Supported: {', '.join(FORMATS)}.")
    size = int(request.headers.get("Content-Length") or 0)
    if not 0 < size <= MAX_FILE:
        return _error_response(413, f"Send 1 to {MAX_FILE:,} bytes of audio; got {size:,}.")
    if size % BYTES_PER_SAMPLE:
        return _error_response(400, "The audio isn't a whole number of 16-bit samples.")
    try:
        end = _running.begin((await request.auser()).pk)
    except Busy:
        response = _error_response(429, "You are converting another clip. Try again when it is finished.")
        response.headers["Retry-After"] = "5"
        return response
    return ExclusiveResponse(_encoded(request, extension), end, content_type=FORMATS[extension].content_type)


voices_file.max_body = MAX_FILE  # type: ignore[attr-defined]


async def _encoded(request: HttpRequest, extension: str) -> AsyncIterator[bytes]:
    loop, encoder = asyncio.get_running_loop(), Encoder(FORMATS[extension])
    while (data := await loop.run_in_executor(_encoders, _encode_next, request, encoder)) is not None:
        if data:
            yield data
    yield await loop.run_in_executor(_encoders, encoder.end)


def _encode_next(request: HttpRequest, encoder: Encoder) -> bytes | None:
    """None at the end of the body."""
    pcm = request.read(CHUNK)
    return encoder.add(pcm) if pcm else None


def _error_response(status: int, message: str) -> JsonResponse:
    return JsonResponse({"detail": message}, status=status)
