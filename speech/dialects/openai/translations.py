"""`POST /v1/audio/translations`: the translation of a recording into English, by an engine that can translate."""

from pathlib import Path

from django.http import HttpRequest, HttpResponseBase
from django.views.decorators.http import require_POST

from accounts.credentials.principal import Caller
from accounts.scopes import STT
from speech.batch.decode import decode
from speech.batch.transcription import transcribe
from speech.dialects.api_view import api_view
from speech.dialects.openai.errors import BadRequest, error_response
from speech.dialects.openai.transcriptions import MAX_BYTES, TranscriptionRequest, parse_request, transcript_response
from speech.errors import ProtocolError
from speech.gateway.link import Link
from speech.gateway.slot_request import choose

LANGUAGE = "en"


@api_view(STT, error_response, MAX_BYTES)
@require_POST
async def translations(request: HttpRequest, caller: Caller) -> HttpResponseBase:
    options = await parse_request(request)
    language = options.language or "auto"  # of the recording
    await _check_engine(options, language)
    recording = decode(Path(options.file.temporary_file_path()))
    transcript = await transcribe(caller, recording, options.engine, language, translates=True)
    transcript.language = LANGUAGE
    return transcript_response(transcript, options, task="translate")


async def _check_engine(options: TranscriptionRequest, language: str) -> None:
    try:
        choose(await Link.current().workers.engines(), options.engine, language, translates=True)
    except ProtocolError as error:
        action = "Use one of them, or /v1/audio/transcriptions for the original text."
        raise BadRequest("model", error.what, error.why, action) from None
