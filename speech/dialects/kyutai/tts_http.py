"""Text to speech over HTTP as by Kyutai's server: POST `/api/tts_streaming` and `/api/tts`."""

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
from speech.library.recording.wav import wav_header
from speech.synthesis.options import SynthesisOptions
from speech.synthesis.text_input import MAX_TEXT
from speech.synthesis.whole_text import synthesis_events
from speech.text.json_input import InvalidInput, decode_json

T = TypeVar("T")
MAX_BYTES = 4 * MAX_TEXT + 10_000
MAX_WHOLE = 30 * 60 * SAMPLE_RATE * BYTES_PER_SAMPLE
"""Bytes of speech in a response that is returned as a whole: half an hour. It is held in memory."""


class StreamedRequest(msgspec.Struct):
    text: str
    voice: str


class WholeRequest(msgspec.Struct):
    text: Annotated[list[str], msgspec.Meta(min_length=1, max_length=1_000)]
    """The turns of a dialog; `voices` take them in rotation."""
    voice: str = ""
    voices: list[str] = []
    return_timestamps: bool = False


@api_view(TTS, error_response)
async def speak_streamed(request: HttpRequest, caller: Caller) -> HttpResponseBase:
    if request.method != "POST":
        return HttpResponse("Use POST or a WebSocket.", status=400, content_type="text/plain")
    body = _parse_body(request, StreamedRequest)
    options = SynthesisOptions(voice=await resolve_voice(body.voice), wait=True)
    synthesis = synthesis_events(caller, body.text, options)
    first = await anext(synthesis)  # errors are raised before the response starts
    return StreamingHttpResponse(_wav(first, synthesis), content_type="audio/wav")


async def _wav(first: events.Event, synthesis: AsyncGenerator[events.Event]) -> AsyncGenerator[bytes]:
    with metrics.connection("py_connect", metrics.py_steps) as counted:
        async with aclosing(synthesis):
            yield wav_header(None)
            event: events.Event | None = first
            while event is not None:
                if isinstance(event, events.Audio):
                    counted.steps += 1
                    yield event.pcm
                event = await anext(synthesis, None)


@api_view(TTS, error_response)
async def speak_whole(request: HttpRequest, caller: Caller) -> HttpResponseBase:
    if request.method != "POST":
        return HttpResponse("Use POST.", status=400, content_type="text/plain")
    body = _parse_body(request, WholeRequest)
    voices = [await resolve_voice(voice) for voice in body.voices or [body.voice]]
    pcm, transcript = bytearray(), []
    with metrics.connection("py_connect", metrics.py_steps) as counted:
        for turn, text in enumerate(body.text):
            offset = len(pcm) / BYTES_PER_SAMPLE / SAMPLE_RATE
            options = SynthesisOptions(voice=voices[turn % len(voices)], wait=True)
            async with aclosing(synthesis_events(caller, text, options)) as synthesis:
                async for event in synthesis:
                    match event:
                        case events.Audio():
                            counted.steps += 1
                            pcm += event.pcm
                            if len(pcm) > MAX_WHOLE:
                                raise _too_much_speech()
                        case events.SpokenWord():
                            start, stop = offset + event.start, offset + event.end
                            transcript.append({"text": event.text, "start_s": start, "stop_s": stop})
    wav = wav_header(len(pcm) // BYTES_PER_SAMPLE) + bytes(pcm)
    if body.return_timestamps:
        return JsonResponse({"wav": base64.b64encode(wav).decode(), "transcript": transcript})
    return HttpResponse(wav, content_type="audio/wav")


def _too_much_speech() -> ProtocolError:
    minutes = MAX_WHOLE // (60 * SAMPLE_RATE * BYTES_PER_SAMPLE)
    why = f"A response that is returned as a whole has at most {minutes} minutes."
    return ProtocolError("The speech is too long.", why, "Split the text, or use /api/tts_streaming.")


def _parse_body(request: HttpRequest, kind: type[T]) -> T:
    """Decode the request body. Raises `ProtocolError`."""
    body = request.read(MAX_BYTES + 1)
    if len(body) > MAX_BYTES:
        raise ProtocolError("The text is too long.", f"The limit is {MAX_TEXT:,} characters.", "Split it into parts.")
    try:
        return decode_json(msgspec.json.Decoder(kind), body)
    except InvalidInput as error:
        raise ProtocolError("Invalid request body.", str(error), "Send valid JSON.") from None
