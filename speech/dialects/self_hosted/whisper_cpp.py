"""`POST /inference`: the transcript of a recording, as by the server of whisper.cpp."""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from statistics import fmean
from typing import Any

from asgiref.sync import sync_to_async
from django.core.files.uploadedfile import TemporaryUploadedFile
from django.core.files.uploadhandler import TemporaryFileUploadHandler
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.multipartparser import MultiPartParserError
from django.views.decorators.http import require_POST

from accounts.credentials.principal import AccessDenied, Caller
from accounts.scopes import STT
from speech.batch.decode import AudioError, decode
from speech.batch.transcription import Segment, Transcription, transcribe
from speech.dialects.api_view import api_view, http_status, retry_headers
from speech.dialects.self_hosted.words import probability, spaced_texts
from speech.errors import ProtocolError, StreamError
from speech.events import Word
from speech.library import exports
from speech.library.exports import Document, Options
from speech.text.languages import name_of

MAX_BYTES = 200 * 1024 * 1024
REFUSED = {
    "diarize": "This server doesn't tell speakers apart.",
    "tinydiarize": "This server doesn't tell speakers apart.",
    "offset_t": "This server transcribes whole recordings.",
    "duration": "This server transcribes whole recordings.",
    "offset_n": "Subtitles are numbered from 1.",
}
"""Parameters that would change the transcript and aren't supported. Those that tune Whisper are ignored."""


def error_response(error: AccessDenied | StreamError) -> JsonResponse:
    action = error.action if isinstance(error, AccessDenied | AudioError) else ""  # others address users of a page
    body = {"error": f"{error.what} {error.why} {action}".strip()}
    return JsonResponse(body, status=http_status(error), headers=retry_headers(error))


@api_view(STT, error_response, MAX_BYTES)
@require_POST
async def inference(request: HttpRequest, caller: Caller) -> HttpResponse:
    if int(request.headers.get("Content-Length") or 0) > MAX_BYTES:
        raise ProtocolError("The file is too large.", f"The limit is {MAX_BYTES >> 20} MiB.")
    form, file = await sync_to_async(_parse_form, thread_sensitive=False)(request)
    if not isinstance(file, TemporaryUploadedFile):
        raise ProtocolError("no 'file' field in the request", "Send the recording in it as multipart/form-data.")
    parameters = {**request.GET.dict(), **form}
    _check(parameters)
    recording = decode(Path(file.temporary_file_path()))
    translates = _is_on(parameters, "translate")
    language = parameters.get("language") or ("auto" if translates else "")
    if _is_on(parameters, "detect_language"):
        language = "auto"
    transcript = await transcribe(caller, recording, parameters.get("engine", ""), language, translates=translates)
    return _response(transcript, parameters)


def _parse_form(request: HttpRequest) -> tuple[dict[str, str], Any]:
    """Parse the form, and copy its file to disk, where the decoder can read it. Blocking."""
    request.upload_handlers = [TemporaryFileUploadHandler(request)]
    try:
        return request.POST.dict(), request.FILES.get("file")
    except MultiPartParserError as error:
        raise ProtocolError("Invalid form data.", f"{error}.") from None


def _is_on(parameters: Mapping[str, str], name: str) -> bool:
    return parameters.get(name, "").lower() in ("true", "1", "yes", "y")


def _check(parameters: Mapping[str, str]) -> None:
    """Raises `ProtocolError`."""
    for name, why in REFUSED.items():
        if parameters.get(name, "").lower() not in ("", "0", "false", "no", "n"):
            raise ProtocolError(f"“{name}” isn't supported.", why)


def _response(transcript: Transcription, parameters: Mapping[str, str]) -> HttpResponse:
    """whisper.cpp sends JSON for formats that it doesn't know."""
    format = parameters.get("response_format", "json")
    if format in ("srt", "vtt"):
        export = exports.FORMATS[format]
        content = b"".join(export.write(Document("", transcript.segments), Options()))
        return HttpResponse(content, content_type=export.content_type)
    if format == "text":
        return HttpResponse(_text(transcript), content_type="text/plain; charset=utf-8")
    body = _verbose(transcript, parameters) if format == "verbose_json" else {"text": _text(transcript)}
    return HttpResponse(json.dumps(body, ensure_ascii=False), content_type="application/json")


def _text(transcript: Transcription) -> str:
    """A line for each segment; Whisper's segments begin with a space."""
    return "".join(f" {segment.text}\n" for segment in transcript.segments)


def _verbose(transcript: Transcription, parameters: Mapping[str, str]) -> dict[str, Any]:
    has_times = not _is_on(parameters, "no_timestamps")
    return {
        "task": "translate" if _is_on(parameters, "translate") else "transcribe",
        "language": name_of(transcript.language),
        "duration": round(transcript.duration, 3),
        "text": _text(transcript),
        "segments": [_segment(number, segment, has_times) for number, segment in enumerate(transcript.segments)],
    }


def _segment(number: int, segment: Segment, has_times: bool) -> dict[str, Any]:
    """Tokens, temperature and the probability of silence have no meaning here."""
    texts = zip(segment.words, spaced_texts(segment.words), strict=True)
    return {
        "id": number,
        "text": f" {segment.text}",
        **(_times(segment) if has_times else {}),
        "words": [
            {"word": text, **(_times(word) if has_times else {}), "probability": probability(word)}
            for word, text in texts
        ],
        "tokens": [],
        "temperature": 0.0,
        "avg_logprob": round(fmean(math.log(max(probability(word), 1e-6)) for word in segment.words), 4),
        "no_speech_prob": 0.0,
    }


def _times(timed: Segment | Word) -> dict[str, float]:
    return {"start": round(timed.start, 3), "end": round(timed.end, 3)}
