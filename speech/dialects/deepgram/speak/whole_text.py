"""`POST /v1/speak` streams the speech of a text while it is synthesized."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from uuid import uuid4

import msgspec
from django.http import HttpRequest, StreamingHttpResponse
from django.views.decorators.http import require_POST

from accounts.credentials.principal import Caller
from accounts.scopes import TTS
from speech import events
from speech.dialects.api_view import api_view
from speech.dialects.deepgram.errors import InvalidParameter, TextTooLong, error_response
from speech.dialects.deepgram.messages import model_id
from speech.dialects.deepgram.speak.query import file_format, synthesis_options
from speech.dialects.encoder import Encoder, Format
from speech.errors import InvalidText
from speech.gateway.link import Link
from speech.synthesis.text_input import MAX_TEXT
from speech.synthesis.whole_text import synthesis_events
from speech.text.json_input import InvalidInput, decode_json

MAX_BYTES = 6 * MAX_TEXT + 1_000
"""JSON may write each character as an escape."""


class Body(msgspec.Struct):
    text: str


_decoder = msgspec.json.Decoder(Body)


@api_view(TTS, error_response)
@require_POST
async def speak(request: HttpRequest, caller: Caller) -> StreamingHttpResponse:
    format, text = file_format(request.GET), _text_of(request)
    options = synthesis_options(request.GET, await Link.current().workers.tts_engines())
    synthesis = synthesis_events(caller, text, options)
    started, first = await _first(synthesis)  # errors are raised before the response starts
    headers = {
        "dg-model-name": started.voice,
        "dg-model-uuid": model_id(started.voice),
        "dg-char-count": str(len(text)),
        "dg-request-id": str(uuid4()),
        "X-Accel-Buffering": "no",
    }
    return StreamingHttpResponse(_encoded(first, synthesis, format), content_type=format.content_type, headers=headers)


def _text_of(request: HttpRequest) -> str:
    if int(request.headers.get("Content-Length") or 0) > MAX_BYTES:
        raise TextTooLong
    try:
        text = (
            request.body.decode() if request.content_type == "text/plain" else decode_json(_decoder, request.body).text
        )
    except (InvalidInput, UnicodeDecodeError) as error:
        why = f"{error} The site reads no texts from URLs." if b'"url"' in request.body else str(error)
        raise InvalidParameter("Invalid request body.", why, "Send {“text”: “…”}.") from None
    if len(text) > MAX_TEXT:
        raise TextTooLong
    return text


async def _first(synthesis: AsyncGenerator[events.Event]) -> tuple[events.SynthesisStarted, bytes]:
    """What is speaking, and the first audio. Raises `InvalidText` if there is none."""
    started = events.SynthesisStarted("", "", "")
    async for event in synthesis:
        if isinstance(event, events.SynthesisStarted):
            started = event
        if isinstance(event, events.Audio):
            return started, event.pcm
    raise InvalidText


async def _encoded(first: bytes, synthesis: AsyncGenerator[events.Event], format: Format) -> AsyncGenerator[bytes]:
    """Once the response has started, a broken connection is the only sign of an error."""
    encoder = Encoder(format)
    async with aclosing(synthesis):
        if data := await asyncio.to_thread(encoder.add, first):
            yield data
        async for event in synthesis:
            if isinstance(event, events.Audio) and (data := await asyncio.to_thread(encoder.add, event.pcm)):
                yield data
        if data := await asyncio.to_thread(encoder.end):
            yield data
