"""Whole texts spoken over HTTP, as Kyutai's servers do it: POST `/api/tts_streaming` and `/api/tts`."""

import base64
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated, TypeVar

import msgspec
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse, StreamingHttpResponse

from accounts.credentials.principal import Caller
from accounts.scopes import TTS
from inference.messages import BYTES_PER_SAMPLE, SAMPLE_RATE
from speech import events
from speech.dialects.api_view import api_view
from speech.dialects.kyutai import metrics
from speech.dialects.kyutai.asr_http import error_response
from speech.dialects.kyutai.tts_socket import resolve_voice
from speech.errors import ProtocolError
from speech.gateway.revocation_guard import revocation_guard
from speech.live.event_stream import Emit, stream_events
from speech.synthesis.job import MAX_TEXT, SynthesisJob

T = TypeVar("T")
MAX_BYTES = 4 * MAX_TEXT + 10_000
UNKNOWN = 0xFFFFFFFF
"""The length of a WAV file that is sent while it is made."""


class Streamed(msgspec.Struct):
    text: str
    voice: str


class Whole(msgspec.Struct):
    text: Annotated[list[str], msgspec.Meta(min_length=1, max_length=1_000)]
    """A turn each, of two speakers in turn."""
    voice: str = ""
    voices: list[str] = []
    return_timestamps: bool = False


def synthesis_events(caller: Caller, text: str, voice: str) -> AsyncGenerator[events.Event]:
    async def speak(tell: Emit) -> None:
        job = SynthesisJob(caller.user, tell, voice=voice, wait=True)
        with revocation_guard(caller, job.fail):
            job.add_text(text)
            job.finish()
            await job.run()

    return stream_events(speak)


@api_view(TTS, error_response)
async def speak_streamed(request: HttpRequest, caller: Caller) -> HttpResponseBase:
    if request.method != "POST":
        return HttpResponse("This is for POST requests and for WebSockets.", status=400)
    asked = _read(request, Streamed)
    told = synthesis_events(caller, asked.text, await resolve_voice(asked.voice))
    first = await anext(told)  # what is wrong shows before anything is answered
    return StreamingHttpResponse(_wav(first, told), content_type="audio/wav")


async def _wav(first: events.Event, told: AsyncGenerator[events.Event]) -> AsyncGenerator[bytes]:
    with metrics.connection("py_connect", metrics.py_steps) as counted:
        async with aclosing(told):
            yield _header(UNKNOWN)
            event: events.Event | None = first
            while event is not None:
                if isinstance(event, events.Audio):
                    counted.steps += 1
                    yield event.pcm
                event = await anext(told, None)


@api_view(TTS, error_response)
async def speak_whole(request: HttpRequest, caller: Caller) -> HttpResponseBase:
    if request.method != "POST":
        return HttpResponse("This is for POST requests.", status=400)
    asked = _read(request, Whole)
    voices = [await resolve_voice(voice) for voice in asked.voices or [asked.voice]]
    pcm, transcript = bytearray(), []
    with metrics.connection("py_connect", metrics.py_steps) as counted:
        for turn, text in enumerate(asked.text):
            begin = len(pcm) / BYTES_PER_SAMPLE / SAMPLE_RATE
            async with aclosing(synthesis_events(caller, text, voices[turn % len(voices)])) as told:
                async for event in told:
                    match event:
                        case events.Audio():
                            counted.steps += 1
                            pcm += event.pcm
                        case events.SpokenWord():
                            start, stop = begin + event.start, begin + event.end
                            transcript.append({"text": event.text, "start_s": start, "stop_s": stop})
    wav = _header(len(pcm)) + bytes(pcm)
    if asked.return_timestamps:
        return JsonResponse({"wav": base64.b64encode(wav).decode(), "transcript": transcript})
    return HttpResponse(wav, content_type="audio/wav")


def _read(request: HttpRequest, kind: type[T]) -> T:
    """Raises `ProtocolError`."""
    body = request.read(MAX_BYTES + 1)
    if len(body) > MAX_BYTES:
        raise ProtocolError("The text is too long.", f"The bound is {MAX_TEXT:,} characters.", "Cut it up.")
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, RecursionError) as error:
        raise ProtocolError("The request could not be read.", f"{error}.", "Send JSON.") from None


def _header(length: int) -> bytes:
    """44 bytes: PCM, 16 bit, mono."""
    byte_rate = SAMPLE_RATE * BYTES_PER_SAMPLE
    chunk = b"fmt " + (16).to_bytes(4, "little")
    chunk += b"".join(
        value.to_bytes(size, "little")
        for value, size in ((1, 2), (1, 2), (SAMPLE_RATE, 4), (byte_rate, 4), (BYTES_PER_SAMPLE, 2), (16, 2))
    )
    size = length if length == UNKNOWN else length + 36
    return b"RIFF" + size.to_bytes(4, "little") + b"WAVE" + chunk + b"data" + length.to_bytes(4, "little")
