"""`POST /v1/audio/transcriptions`: the transcript of a recording, whole or streamed."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from asgiref.sync import sync_to_async
from django.core.files.uploadedfile import TemporaryUploadedFile
from django.core.files.uploadhandler import TemporaryFileUploadHandler
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.http.multipartparser import MultiPartParserError
from django.views.decorators.http import require_POST

from accounts.credentials.principal import Caller
from accounts.scopes import STT
from speech import events
from speech.batch.decode import decode
from speech.batch.transcription import Transcription, transcribe, transcription_events
from speech.dialects.api_view import api_view
from speech.dialects.openai.errors import BadRequest, error_response
from speech.dialects.openai.model_aliases import engine_named
from speech.dialects.openai.server_sent_events import event_stream_response
from speech.dialects.openai.transcript_formats import FORMATS, json_of, logprobs
from speech.text.word_spacing import gap

MAX_BYTES = 200 * 1024 * 1024
GRANULARITIES = {"word", "segment"}


@dataclass(frozen=True)
class TranscriptionRequest:
    file: TemporaryUploadedFile
    model: str
    engine: str
    language: str
    format: str
    granularities: frozenset[str]
    is_streamed: bool
    with_logprobs: bool


@api_view(STT, error_response, MAX_BYTES)
@require_POST
async def transcriptions(request: HttpRequest, caller: Caller) -> HttpResponseBase:
    options = await parse_request(request)
    recording = decode(Path(options.file.temporary_file_path()))
    if options.is_streamed:
        transcription = transcription_events(caller, recording, engine=options.engine, language=options.language)
        return event_stream_response(_events(transcription, options))
    transcript = await transcribe(caller, recording, options.engine, options.language)
    return transcript_response(transcript, options)


def transcript_response(transcript: Transcription, options: TranscriptionRequest, **details: str) -> HttpResponse:
    content_type, content = FORMATS[options.format](
        transcript,
        model=options.model,
        granularities=options.granularities,
        with_logprobs=options.with_logprobs,
        **details,
    )
    return HttpResponse(content, content_type=content_type)


async def _events(
    transcription: AsyncGenerator[events.Event], options: TranscriptionRequest
) -> AsyncGenerator[dict[str, Any]]:
    """Emit each word once, even if another engine transcribes it again."""
    transcript, sent_words, last_word = Transcription(), 0, ""
    try:
        async with aclosing(transcription):
            async for event in transcription:
                transcript.add(event)
                if isinstance(event, events.Word) and event.index == sent_words:
                    sent_words += 1
                    delta = gap(last_word, event.text) + event.text
                    extra = {"logprobs": logprobs([event], last_word)} if options.with_logprobs else {}
                    last_word = event.text
                    yield {"type": "transcript.text.delta", "delta": delta, **extra}
    finally:
        options.file.close()
    body = json_of(transcript, options.model, options.with_logprobs)
    yield {"type": "transcript.text.done", "text": body.pop("text"), **body}


async def parse_request(request: HttpRequest) -> TranscriptionRequest:
    """Raises `BadRequest`, or `NoEngine`."""
    if int(request.headers.get("Content-Length") or 0) > MAX_BYTES:
        raise BadRequest(
            "file", "The file is too large.", f"The limit is {MAX_BYTES >> 20} MiB.", "Split it into parts."
        )
    form, file = await sync_to_async(_parse_form, thread_sensitive=False)(request)
    if not isinstance(file, TemporaryUploadedFile):
        raise BadRequest("file", "The “file” field is missing.", "Send the recording in it as multipart/form-data.")
    format = form.get("response_format") or "json"
    if format not in FORMATS:
        why = f"Supported formats: {', '.join(FORMATS)}."
        raise BadRequest("response_format", f"Unsupported format “{format}”.", why)
    granularities = frozenset(form.getlist("timestamp_granularities[]") + form.getlist("timestamp_granularities"))
    if unknown := granularities - GRANULARITIES:
        what = f"Unknown granularity “{min(unknown)}”."
        raise BadRequest("timestamp_granularities", what, "Supported: word, segment.")
    return TranscriptionRequest(
        file=file,
        model=form.get("model", ""),
        engine=await engine_named(form.get("model", ""), "stt"),
        language=form.get("language") or _language_among(form.getlist("languages[]") or form.getlist("languages")),
        format=format,
        granularities=granularities or frozenset({"segment"}),
        is_streamed=form.get("stream", "").lower() in ("true", "1"),
        with_logprobs="logprobs" in form.getlist("include[]") + form.getlist("include"),
    )


def _language_among(languages: list[str]) -> str:
    """The only possible language; one of several is detected."""
    return "auto" if len(languages) > 1 else "".join(languages)


def _parse_form(request: HttpRequest) -> tuple[Any, Any]:
    """Parse the form, and copy its file to disk, where the decoder can read it. Blocking."""
    request.upload_handlers = [TemporaryFileUploadHandler(request)]
    try:
        return request.POST, request.FILES.get("file")
    except MultiPartParserError as error:
        raise BadRequest("file", "Invalid form data.", f"{error}.") from None
