"""`GET /v1/models` for Deepgram's clients: engines that transcribe, and voices, each of which is a model there.

OpenAI's clients use the same URL; Deepgram's send another scheme of authorization.
"""

from typing import Any

from django.http import HttpRequest

from inference.messages import Status, Voice
from speech.dialects.deepgram.messages import VERSION, model_id


def is_deepgrams(request: HttpRequest) -> bool:
    """Whether a client of Deepgram's sent the request."""
    return request.headers.get("Authorization", "").lower().startswith("token ")


def models(engines: list[Status]) -> dict[str, Any]:
    voices = [(status, voice) for status in engines if status.kind == "tts" for voice in status.voices or []]
    return {
        "stt": [_engine(status) for status in engines if status.kind == "stt"],
        "tts": [_voice(status, voice) for status, voice in voices],
    }


def model(engines: list[Status], name: str) -> dict[str, Any] | None:
    """By id or name; None if there is none."""
    found = models(engines)
    return next(
        (each for each in [*found["stt"], *found["tts"]] if name in (each["uuid"], each["canonical_name"])), None
    )


def _engine(status: Status) -> dict[str, Any]:
    return {
        "name": status.label,
        "canonical_name": status.engine,
        "architecture": status.engine,
        "languages": sorted(status.languages),
        "version": VERSION,
        "uuid": model_id(status.engine),
        "batch": True,
        "streaming": True,
        "formatted_output": True,
    }


def _voice(status: Status, voice: Voice) -> dict[str, Any]:
    return {
        "name": voice.label,
        "canonical_name": voice.name,
        "architecture": status.engine,
        "languages": [voice.language],
        "version": VERSION,
        "uuid": model_id(voice.name),
        "metadata": {"accent": voice.language, "tags": [voice.kind] if voice.kind else []},
    }
