"""`POST /v1/listen`: the transcript of a recording."""

import hashlib
from tempfile import NamedTemporaryFile
from typing import IO, Any

from asgiref.sync import sync_to_async
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_POST

from accounts.credentials.principal import AccessDenied, Caller
from accounts.scopes import STT
from speech.batch.decode import AudioError, decode
from speech.batch.transcription import Segment, Transcription, transcribe
from speech.dialects.api_view import api_view, http_status, retry_headers
from speech.dialects.deepgram.messages import Request, alternative, confidence
from speech.dialects.deepgram.query import Query
from speech.errors import ProtocolError, StreamError

MAX_BYTES = 200 * 1024 * 1024
CHUNK_BYTES = 64 * 1024


def error_response(error: AccessDenied | StreamError) -> JsonResponse:
    status = http_status(error)
    action = error.action if isinstance(error, AudioError) else ""  # others address users of the live page
    message = f"{error.what} {error.why} {action}".strip()
    body = {"err_code": status.name, "err_msg": message, "request_id": Request().id}
    return JsonResponse(body, status=status, headers=retry_headers(error))


@api_view(STT, error_response, MAX_BYTES)
@require_POST
async def prerecorded(request: HttpRequest, caller: Caller) -> JsonResponse:
    query, recording = Query.of(request.GET), Request()
    if request.content_type == "application/json":
        why = "This server doesn't fetch URLs."
        raise ProtocolError("Remote URLs aren't supported.", why, "Send the file itself as the body.")
    with NamedTemporaryFile() as file:
        sha256 = await sync_to_async(_copy, thread_sensitive=False)(request, file)
        transcript = await transcribe(caller, decode(file.name), engine=query.engine, language=query.language)
    recording.set_engine(transcript.engine)
    return JsonResponse(
        {"metadata": recording.metadata(transcript.duration, sha256), "results": _results(transcript, query)},
        headers={"dg-request-id": recording.id},
    )


def _copy(request: HttpRequest, file: IO[bytes]) -> str:
    """Copy the body to a file, which the decoder can read. Return its SHA-256, in hexadecimal."""
    sha256, size = hashlib.sha256(), 0
    while chunk := request.read(CHUNK_BYTES):
        size += len(chunk)
        if size > MAX_BYTES:
            raise ProtocolError("The file is too large.", f"The limit is {MAX_BYTES >> 20} MiB.")
        sha256.update(chunk)
        file.write(chunk)
    file.flush()
    return sha256.hexdigest()


def _results(transcript: Transcription, query: Query) -> dict[str, Any]:
    channel = {"alternatives": [alternative(transcript.words)], "detected_language": transcript.language}
    results: dict[str, Any] = {"channels": [channel]}
    if query.utterances:
        results["utterances"] = [_utterance(segment) for segment in transcript.segments]
    return results


def _utterance(segment: Segment) -> dict[str, Any]:
    return {
        "id": f"{segment.words[0].segment}",
        "start": round(segment.start, 3),
        "end": round(segment.end, 3),
        "confidence": confidence(segment.words),
        "channel": 0,
        "transcript": segment.text,
        "words": alternative(segment.words)["words"],
    }
