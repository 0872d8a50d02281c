"""`POST /v1/audio/speech` streams the speech of a text while it is synthesized. `GET /v1/audio/voices` lists voices."""

import asyncio
import base64
import re
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Literal

import msgspec
from django.http import HttpRequest, HttpResponseBase, JsonResponse, StreamingHttpResponse
from django.views.decorators.http import require_POST, require_safe

from accounts.credentials.principal import Caller
from accounts.scopes import TTS
from inference.messages import BYTES_PER_SAMPLE, SAMPLE_RATE
from speech import events
from speech.dialects.api_view import api_view
from speech.dialects.encoder import FORMATS, Encoder
from speech.dialects.openai import usage
from speech.dialects.openai.errors import BadRequest, error_response
from speech.dialects.openai.model_aliases import engine_named
from speech.dialects.openai.server_sent_events import STREAM_HEADERS, event_stream_response
from speech.dialects.openai.voice_aliases import voice_named
from speech.errors import InvalidText
from speech.gateway.link import Link
from speech.synthesis.options import SynthesisOptions
from speech.synthesis.text_input import MAX_TEXT
from speech.synthesis.voices import SelectedVoice, select_voice
from speech.synthesis.whole_text import synthesis_events
from speech.text.json_input import InvalidInput, decode_json

MAX_BYTES = 4 * MAX_TEXT + 10_000
MIN_SPEED, MAX_SPEED = 0.25, 4.0
"""OpenAI's range. A voice has a narrower one, whose end it then speaks at."""
SPEED_HEADER = "X-Speed"
"""Header of the response that states the speed of the speech."""


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
    options, speed = await _options(body)
    length = Length()
    pcm = _pcm(synthesis_events(caller, body.input, options), length)
    first = await _first(pcm)  # errors are raised before the response starts
    encoded = _encode(first, pcm, Encoder(FORMATS[body.response_format]))
    if body.stream_format == "sse":
        response = event_stream_response(_events(encoded, body, length))
    else:
        content_type = FORMATS[body.response_format].content_type
        response = StreamingHttpResponse(encoded, content_type=content_type, headers=STREAM_HEADERS)
    response.headers[SPEED_HEADER] = f"{speed:g}"
    return response


async def _options(body: SpeechRequest) -> tuple[SynthesisOptions, float]:
    """The options, and the speed of the speech."""
    engine = await engine_named(body.model, "tts")
    voice = await voice_named(body.voice_name, engine, body.model)
    options = SynthesisOptions(engine, voice, body.language)
    if body.speed == 1.0:
        return options, body.speed
    selected = select_voice(await Link.current().workers.tts_engines(), options)
    speed = _supported_speed(body.speed, selected)
    controls = {} if speed == 1.0 else {"speed": speed}
    return SynthesisOptions(selected.engine.engine, selected.voice.name, body.language, controls), speed


def _supported_speed(speed: float, selected: SelectedVoice) -> float:
    control = next((control for control in selected.engine.controls if control.name == "speed"), None)
    return min(max(speed, control.minimum), control.maximum) if control else 1.0


@dataclass
class Length:
    samples: int = 0

    @property
    def seconds(self) -> float:
        return self.samples / SAMPLE_RATE


async def _pcm(synthesis: AsyncGenerator[events.Event], length: Length) -> AsyncGenerator[bytes]:
    async with aclosing(synthesis):
        async for event in synthesis:
            if isinstance(event, events.Audio):
                length.samples += len(event.pcm) // BYTES_PER_SAMPLE
                yield event.pcm


async def _first(pcm: AsyncGenerator[bytes]) -> bytes:
    try:
        return await anext(pcm)
    except StopAsyncIteration:
        raise InvalidText from None


async def _encode(first: bytes, pcm: AsyncGenerator[bytes], encoder: Encoder) -> AsyncGenerator[bytes]:
    """Encode the speech. Once the response has started, a broken connection is the only sign of an error."""
    async with aclosing(pcm):
        if data := await asyncio.to_thread(encoder.add, first):
            yield data
        async for chunk in pcm:
            if data := await asyncio.to_thread(encoder.add, chunk):
                yield data
        if data := await asyncio.to_thread(encoder.end):
            yield data


async def _events(
    encoded: AsyncGenerator[bytes], body: SpeechRequest, length: Length
) -> AsyncGenerator[dict[str, Any]]:
    async with aclosing(encoded):
        async for data in encoded:
            yield {"type": "speech.audio.delta", "audio": base64.b64encode(data).decode()}
    yield {"type": "speech.audio.done", "usage": usage.of_speech(body.input, length.seconds)}


def _parse_body(request: HttpRequest) -> SpeechRequest:
    if int(request.headers.get("Content-Length") or 0) > MAX_BYTES:
        raise BadRequest("input", "The text is too long.", f"The limit is {MAX_TEXT:,} characters.")
    try:
        body = decode_json(_decoder, request.body)
    except InvalidInput as error:
        field = re.search(r"\$\.(\w+)", str(error)) or re.search(r"field `(\w+)`", str(error))
        raise BadRequest(field[1] if field else "", "Invalid request body.", str(error)) from None
    if not MIN_SPEED <= body.speed <= MAX_SPEED:
        why = f"Allowed range: {MIN_SPEED:g} to {MAX_SPEED:g}."
        raise BadRequest("speed", f"Speed {body.speed:g} is out of range.", why)
    return body


@api_view(TTS, error_response)
@require_safe
async def voices(request: HttpRequest, caller: Caller) -> JsonResponse:
    engines = await Link.current().workers.tts_engines()
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
