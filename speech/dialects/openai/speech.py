"""`POST /v1/audio/speech` streams the speech of a text while it is synthesized. `GET /v1/audio/voices` lists voices."""

import asyncio
import base64
import json
import re
from collections.abc import AsyncGenerator
from typing import Any, Literal

import msgspec
from django.http import HttpRequest, HttpResponseBase, JsonResponse, StreamingHttpResponse
from django.views.decorators.http import require_POST, require_safe

from accounts.credentials.principal import Caller
from accounts.scopes import TTS
from speech import events
from speech.dialects.api_view import api_view
from speech.dialects.encoder import FORMATS, Encoder
from speech.dialects.openai.errors import BadRequest, error_body, error_response
from speech.dialects.openai.model_aliases import engine_named, voice_named
from speech.errors import InvalidText, StreamError
from speech.gateway.link import Link
from speech.gateway.revocation import revocation_guard
from speech.live.event_stream import Emit, stream_events
from speech.synthesis.job import MAX_TEXT, SynthesisJob

MAX_BYTES = 4 * MAX_TEXT + 10_000
STREAM_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


class VoiceId(msgspec.Struct):
    id: str


class SpeechRequest(msgspec.Struct):
    input: str
    model: str = ""
    voice: str | VoiceId = ""
    response_format: Literal["mp3", "opus", "aac", "flac", "wav", "pcm"] = "mp3"
    speed: float = 1.0
    stream_format: Literal["audio", "sse"] = "audio"
    language: str = ""
    """Language of the voice if none is named; an extension of OpenAI's API."""

    @property
    def voice_name(self) -> str:
        return self.voice.id if isinstance(self.voice, VoiceId) else self.voice


_decoder = msgspec.json.Decoder(SpeechRequest)


@api_view(TTS, error_response)
@require_POST
async def speech(request: HttpRequest, caller: Caller) -> HttpResponseBase:
    body = _parse_body(request)
    engine = await engine_named(body.model, "tts")
    voice = await voice_named(body.voice_name, engine)
    controls = {} if body.speed == 1.0 else {"speed": body.speed}
    options = {"engine": engine, "voice": voice, "language": body.language, "controls": controls}
    pcm = _pcm(stream_events(lambda emit: _synthesize(caller, emit, body.input, options)))
    first = await _first(pcm)  # errors are raised before the response starts
    encoded = _encode(first, pcm, Encoder(FORMATS[body.response_format]))
    if body.stream_format == "sse":
        return StreamingHttpResponse(
            _server_sent_events(encoded), content_type="text/event-stream", headers=STREAM_HEADERS
        )
    content_type = FORMATS[body.response_format].content_type
    return StreamingHttpResponse(encoded, content_type=content_type, headers=STREAM_HEADERS)


async def _synthesize(caller: Caller, emit: Emit, text: str, options: dict[str, Any]) -> None:
    job = SynthesisJob(caller.user, emit, **options)
    with revocation_guard(caller, job.fail):
        job.add_text(text)
        job.finish()
        await job.run()


async def _pcm(synthesis: AsyncGenerator[events.Event]) -> AsyncGenerator[bytes]:
    try:
        async for event in synthesis:
            if isinstance(event, events.Audio):
                yield event.pcm
    finally:
        await synthesis.aclose()


async def _first(pcm: AsyncGenerator[bytes]) -> bytes:
    try:
        return await anext(pcm)
    except StopAsyncIteration:
        raise InvalidText from None


async def _encode(first: bytes, pcm: AsyncGenerator[bytes], encoder: Encoder) -> AsyncGenerator[bytes]:
    """Encode the speech. Once the response has started, a broken connection is the only sign of an error."""
    try:
        if data := await asyncio.to_thread(encoder.add, first):
            yield data
        async for chunk in pcm:
            if data := await asyncio.to_thread(encoder.add, chunk):
                yield data
        if data := await asyncio.to_thread(encoder.end):
            yield data
    finally:
        await pcm.aclose()


async def _server_sent_events(encoded: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
    try:
        async for data in encoded:
            yield _sse({"type": "speech.audio.delta", "audio": base64.b64encode(data).decode()})
    except StreamError as error:
        yield _sse({"type": "error", "error": error_body(error)})
    else:
        yield _sse({"type": "speech.audio.done"})
    finally:
        await encoded.aclose()


def _sse(event: dict[str, Any]) -> bytes:
    return f"data: {json.dumps(event)}\n\n".encode()


def _parse_body(request: HttpRequest) -> SpeechRequest:
    if int(request.headers.get("Content-Length") or 0) > MAX_BYTES:
        raise BadRequest("input", "The text is too long.", f"The limit is {MAX_TEXT:,} characters.")
    try:
        return _decoder.decode(request.body)
    except (msgspec.DecodeError, RecursionError) as error:
        field = re.search(r"\$\.(\w+)", str(error)) or re.search(r"field `(\w+)`", str(error))
        raise BadRequest(field[1] if field else "", "Invalid request body.", f"{error}.") from None


@api_view(TTS, error_response)
@require_safe
async def voices(request: HttpRequest, caller: Caller) -> JsonResponse:
    engines = await Link.current().tts_engines()
    data = [
        {
            "id": voice.name,
            "object": "audio.voice",
            "name": voice.label,
            "model": engine,
            "language": voice.language,
            "kind": voice.kind,
            "description": voice.description,
        }
        for engine, status in sorted(engines.items())
        for voice in status.voices or []
    ]
    return JsonResponse({"object": "list", "data": data, "voices": data})
