"""`POST /v1/audio/speech`: a text in, its speech out while it is made. `GET /v1/audio/voices`: who can speak it."""

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
from speech.gateway.revocation_guard import revocation_guard
from speech.live.event_stream import Emit, stream_events
from speech.synthesis.job import MAX_TEXT, SynthesisJob

MAX_BYTES = 4 * MAX_TEXT + 10_000
STREAMED = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


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
    """OpenAI's has none; here it chooses a voice where none is named."""

    @property
    def voice_name(self) -> str:
        return self.voice.id if isinstance(self.voice, VoiceId) else self.voice


_asked = msgspec.json.Decoder(SpeechRequest)


@api_view(TTS, error_response)
@require_POST
async def speech(request: HttpRequest, caller: Caller) -> HttpResponseBase:
    asked = _read(request)
    engine = await engine_named(asked.model, "tts")
    voice = await voice_named(asked.voice_name, engine)
    controls = {} if asked.speed == 1.0 else {"speed": asked.speed}
    wishes = {"engine": engine, "voice": voice, "language": asked.language, "controls": controls}
    spoken = _pcm(stream_events(lambda tell: _speak(caller, tell, asked.input, wishes)))
    first = await _first(spoken)  # what is wrong shows before anything is answered
    encoded = _encoded(first, spoken, Encoder(FORMATS[asked.response_format]))
    if asked.stream_format == "sse":
        return StreamingHttpResponse(_as_events(encoded), content_type="text/event-stream", headers=STREAMED)
    content_type = FORMATS[asked.response_format].content_type
    return StreamingHttpResponse(encoded, content_type=content_type, headers=STREAMED)


async def _speak(caller: Caller, tell: Emit, text: str, wishes: dict[str, Any]) -> None:
    job = SynthesisJob(caller.user, tell, **wishes)
    with revocation_guard(caller, job.fail):
        job.add_text(text)
        job.finish()
        await job.run()


async def _pcm(told_events: AsyncGenerator[events.Event]) -> AsyncGenerator[bytes]:
    try:
        async for event in told_events:
            if isinstance(event, events.Audio):
                yield event.pcm
    finally:
        await told_events.aclose()


async def _first(spoken: AsyncGenerator[bytes]) -> bytes:
    try:
        return await anext(spoken)
    except StopAsyncIteration:
        raise InvalidText from None


async def _encoded(first: bytes, spoken: AsyncGenerator[bytes], encoder: Encoder) -> AsyncGenerator[bytes]:
    """A connection that breaks off is all that says, once the answer has begun, that something went wrong."""
    try:
        if piece := await asyncio.to_thread(encoder.add, first):
            yield piece
        async for pcm in spoken:
            if piece := await asyncio.to_thread(encoder.add, pcm):
                yield piece
        if piece := await asyncio.to_thread(encoder.end):
            yield piece
    finally:
        await spoken.aclose()


async def _as_events(encoded: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
    try:
        async for piece in encoded:
            yield _sse({"type": "speech.audio.delta", "audio": base64.b64encode(piece).decode()})
    except StreamError as error:
        yield _sse({"type": "error", "error": error_body(error)})
    else:
        yield _sse({"type": "speech.audio.done"})
    finally:
        await encoded.aclose()


def _sse(event: dict[str, Any]) -> bytes:
    return f"data: {json.dumps(event)}\n\n".encode()


def _read(request: HttpRequest) -> SpeechRequest:
    if int(request.headers.get("Content-Length") or 0) > MAX_BYTES:
        raise BadRequest("input", "The text is too long.", f"The bound is {MAX_TEXT:,} characters.")
    try:
        return _asked.decode(request.body)
    except (msgspec.DecodeError, RecursionError) as error:
        named = re.search(r"\$\.(\w+)", str(error)) or re.search(r"field `(\w+)`", str(error))
        raise BadRequest(named[1] if named else "", "The request could not be read.", f"{error}.") from None


@api_view(TTS, error_response)
@require_safe
async def voices(request: HttpRequest, caller: Caller) -> JsonResponse:
    there = await Link.current().tts_engines()
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
        for engine, status in sorted(there.items())
        for voice in status.voices or []
    ]
    return JsonResponse({"object": "list", "data": data, "voices": data})
