"""`POST /v1/listen`: a recording in, its transcript out."""

import hashlib
from tempfile import NamedTemporaryFile
from typing import IO, Any

from asgiref.sync import sync_to_async
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_POST

from accounts.credentials.principal import AccessDenied, Caller
from accounts.scopes import STT
from speech.batch.decode import decode
from speech.batch.transcription import Segment, Transcription, transcribe
from speech.dialects.api_view import api_view, http_status, retry_headers
from speech.dialects.deepgram.messages import Request, alternative, confidence
from speech.dialects.deepgram.query import Query
from speech.errors import ProtocolError, StreamError

MAX_BYTES = 200 * 1024 * 1024
PIECE = 64 * 1024


def error_response(error: AccessDenied | StreamError) -> JsonResponse:
    status = http_status(error)
    told = {"err_code": status.name, "err_msg": f"{error.what} {error.why}".strip(), "request_id": Request().id}
    return JsonResponse(told, status=status, headers=retry_headers(error))


@api_view(STT, error_response)
@require_POST
async def prerecorded(request: HttpRequest, caller: Caller) -> JsonResponse:
    query, told = Query.of(request.GET), Request()
    if request.content_type == "application/json":
        why = "This server fetches nothing from elsewhere."
        raise ProtocolError("A recording is sent, not named.", why, "Send the file itself as the body.")
    with NamedTemporaryFile() as file:
        sha256 = await sync_to_async(_copy, thread_sensitive=False)(request, file)
        heard = await transcribe(caller, decode(file.name), engine=query.engine, language=query.language)
    told.set_engine(heard.engine)
    return JsonResponse(
        {"metadata": told.metadata(heard.duration, sha256), "results": _results(heard, query)},
        headers={"dg-request-id": told.id},
    )


def _copy(request: HttpRequest, file: IO[bytes]) -> str:
    """To where the decoder can read it. Returns its SHA-256, in hexadecimal."""
    sha256, size = hashlib.sha256(), 0
    while piece := request.read(PIECE):
        size += len(piece)
        if size > MAX_BYTES:
            raise ProtocolError("The file is too large.", f"The bound is {MAX_BYTES >> 20} MiB.")
        sha256.update(piece)
        file.write(piece)
    file.flush()
    return sha256.hexdigest()


def _results(heard: Transcription, query: Query) -> dict[str, Any]:
    channel = {"alternatives": [alternative(heard.words)], "detected_language": heard.language}
    results: dict[str, Any] = {"channels": [channel]}
    if query.utterances:
        results["utterances"] = [_utterance(utterance) for utterance in heard.segments]
    return results


def _utterance(utterance: Segment) -> dict[str, Any]:
    return {
        "id": f"{utterance.words[0].segment}",
        "start": round(utterance.start, 3),
        "end": round(utterance.end, 3),
        "confidence": confidence(utterance.words),
        "channel": 0,
        "transcript": utterance.text,
        "words": alternative(utterance.words)["words"],
    }
