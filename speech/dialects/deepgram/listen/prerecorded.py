"""`POST /v1/listen`: the transcript of a recording."""

import hashlib
from tempfile import NamedTemporaryFile
from typing import IO, Any

import msgspec
from asgiref.sync import sync_to_async
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_POST

from accounts.credentials.principal import Caller
from accounts.scopes import STT
from speech.batch.decode import decode
from speech.batch.transcription import Transcription, transcribe
from speech.dialects.api_view import api_view
from speech.dialects.deepgram.errors import InvalidParameter, error_response
from speech.dialects.deepgram.listen.formatting import alternative
from speech.dialects.deepgram.listen.paragraphs import paragraphs, utterances
from speech.dialects.deepgram.listen.query import Query
from speech.dialects.deepgram.listen.remote_file import fetch
from speech.dialects.deepgram.messages import Request
from speech.errors import ProtocolError
from speech.text.json_input import InvalidInput, decode_json

MAX_BYTES = 200 * 1024 * 1024
CHUNK_BYTES = 64 * 1024
MAX_JSON = 16 * 1024


class Body(msgspec.Struct):
    url: str


_decoder = msgspec.json.Decoder(Body)


@api_view(STT, error_response, MAX_BYTES)
@require_POST
async def prerecorded(request: HttpRequest, caller: Caller) -> JsonResponse:
    query = Query.of_recording(request.GET)
    recording = Request(query.tags, query.extra)
    with NamedTemporaryFile() as file:
        if request.content_type == "application/json":
            sha256 = await fetch(_url_of(request), file, MAX_BYTES)
        else:
            sha256 = await sync_to_async(_copy, thread_sensitive=False)(request, file)
        transcript = await transcribe(caller, decode(file.name), engine=query.engine, language=query.language)
    recording.set_engine(transcript.engine)
    return JsonResponse(
        {"metadata": recording.metadata(transcript.duration, sha256), "results": _results(transcript, query)},
        headers={"dg-request-id": recording.id},
    )


def _url_of(request: HttpRequest) -> str:
    if int(request.headers.get("Content-Length") or 0) > MAX_JSON:
        raise InvalidParameter("Invalid request body.", "It is too long for a URL.")
    try:
        return decode_json(_decoder, request.body).url
    except InvalidInput as error:
        raise InvalidParameter("Invalid request body.", str(error), "Send {“url”: “…”}, or the file itself.") from None


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
    best = alternative(transcript.words, query.formatting)
    if query.paragraphs:
        best["paragraphs"] = paragraphs(transcript.words, query.formatting)
    results: dict[str, Any] = {"channels": [{"alternatives": [best], "detected_language": transcript.language}]}
    if query.utterances:
        results["utterances"] = utterances(transcript, query)
    return results
