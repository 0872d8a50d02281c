"""`POST /v1/audio/transcriptions`: a recording in, its transcript out, whole or as it is heard."""

import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from asgiref.sync import sync_to_async
from django.core.files.uploadedfile import TemporaryUploadedFile
from django.core.files.uploadhandler import TemporaryFileUploadHandler
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.http.multipartparser import MultiPartParserError
from django.views.decorators.http import require_POST

from accounts.credentials.principal import Caller
from accounts.scopes import STT
from speech import events
from speech.batch.decode import decode
from speech.batch.transcription import Transcription, transcribe, transcription_events
from speech.dialects.api_view import api_view
from speech.dialects.openai.errors import BadRequest, error_body, error_response
from speech.dialects.openai.model_aliases import engine_named
from speech.dialects.openai.transcript_formats import FORMATS, json_of, logprobs
from speech.errors import StreamError

MAX_BYTES = 200 * 1024 * 1024
GRANULARITIES = {"word", "segment"}


@dataclass(frozen=True)
class TranscriptionRequest:
    file: TemporaryUploadedFile
    engine: str
    language: str
    format: str
    granularities: frozenset[str]
    streams: bool
    with_logprobs: bool


@api_view(STT, error_response)
@require_POST
async def transcriptions(request: HttpRequest, caller: Caller) -> HttpResponseBase:
    wishes = await _parse_request(request)
    recording = decode(Path(wishes.file.temporary_file_path()))
    if wishes.streams:
        pieces = _streamed(
            transcription_events(caller, recording, engine=wishes.engine, language=wishes.language), wishes
        )
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingHttpResponse(pieces, content_type="text/event-stream", headers=headers)
    heard = await transcribe(caller, recording, wishes.engine, wishes.language)
    return _whole(heard, wishes)


def _whole(heard: Transcription, wishes: TranscriptionRequest) -> HttpResponse:
    write = FORMATS[wishes.format]
    content_type, content = write(heard, granularities=wishes.granularities, with_logprobs=wishes.with_logprobs)
    return HttpResponse(content, content_type=content_type)


async def _streamed(told_events: AsyncGenerator[events.Event], wishes: TranscriptionRequest) -> AsyncGenerator[bytes]:
    """A word that comes again, because an engine was lost, was told already."""
    heard, told_words = Transcription(), 0
    try:
        async with aclosing(told_events):
            async for event in told_events:
                heard.add(event)
                if isinstance(event, events.Word) and event.index == told_words:
                    told_words += 1
                    delta = event.text if event.index == 0 else f" {event.text}"
                    extra = {"logprobs": logprobs([event])} if wishes.with_logprobs else {}
                    yield _sse({"type": "transcript.text.delta", "delta": delta, **extra})
    except StreamError as error:
        yield _sse({"type": "error", "error": error_body(error)})
        return
    finally:
        wishes.file.close()
    whole = json_of(heard, with_logprobs=wishes.with_logprobs)
    yield _sse({"type": "transcript.text.done", "text": whole.pop("text"), **whole})


def _sse(event: dict[str, Any]) -> bytes:
    return f"data: {json.dumps(event, ensure_ascii=False)}\n\n".encode()


# --- What is asked for ------------------------------------------------------------------------------------------------


async def _parse_request(request: HttpRequest) -> TranscriptionRequest:
    if int(request.headers.get("Content-Length") or 0) > MAX_BYTES:
        raise BadRequest("file", "The file is too large.", f"The bound is {MAX_BYTES >> 20} MiB.", "Cut it in parts.")
    form, file = await sync_to_async(_parsed, thread_sensitive=False)(request)
    if not isinstance(file, TemporaryUploadedFile):
        raise BadRequest("file", "There is no “file”.", "A form (multipart/form-data) brings the recording in it.")
    format = form.get("response_format") or "json"
    if format not in FORMATS:
        raise BadRequest("response_format", f"There is no format “{format}”.", f"They are: {', '.join(FORMATS)}.")
    granularities = frozenset(form.getlist("timestamp_granularities[]") + form.getlist("timestamp_granularities"))
    if unknown := granularities - GRANULARITIES:
        raise BadRequest(
            "timestamp_granularities", f"There is no granularity “{min(unknown)}”.", "word and segment are."
        )
    return TranscriptionRequest(
        file=file,
        engine=await engine_named(form.get("model", ""), "stt"),
        language=form.get("language", ""),
        format=format,
        granularities=granularities or frozenset({"segment"}),
        streams=form.get("stream", "").lower() in ("true", "1"),
        with_logprobs="logprobs" in form.getlist("include[]") + form.getlist("include"),
    )


def _parsed(request: HttpRequest) -> tuple[Any, Any]:
    """In a thread: it copies the whole file, to where the decoder can read it."""
    request.upload_handlers = [TemporaryFileUploadHandler(request)]
    try:
        return request.POST, request.FILES.get("file")
    except MultiPartParserError as error:
        raise BadRequest("file", "The form could not be read.", f"{error}.") from None
