"""Engines and voices by name. OpenAI's names of models and voices, which programs often have built in, are aliases."""

import re

from inference.messages import Kind
from speech.dialects.openai.errors import BadRequest, ModelNotFound
from speech.errors import NoEngine
from speech.gateway.link import Link

MODEL_ALIASES: dict[Kind, re.Pattern[str]] = {
    "stt": re.compile(r"whisper-1|gpt-(\w+-)*(transcribe|whisper)(-\S+)?|gpt-realtime\S*"),
    "tts": re.compile(r"tts-1(-\S+)?|gpt-(\w+-)*tts(-\S+)?"),
}
VOICE_ALIASES = (
    *("alloy", "ash", "ballad", "coral", "echo", "fable", "nova", "onyx", "sage", "shimmer", "verse", "marin"),
    "cedar",
)
LIST_VOICES = "GET /v1/audio/voices lists them."


async def engine_named(model: str, kind: Kind, param: str = "model") -> str:
    """Name of the engine, or "" for any. Raises `ModelNotFound`, or `NoEngine` if none is running."""
    engines = await Link.current().workers.engines(kind)
    if not engines:
        raise NoEngine
    if model in engines:
        return model
    if not model or MODEL_ALIASES[kind].fullmatch(model):
        return ""
    why = f"Available: {', '.join(sorted(engines))}."
    raise ModelNotFound(param, f"Model “{model}” not found.", why, "GET /v1/models lists them.")


async def voice_named(voice: str, engine: str) -> str:
    """Name of the voice, or "" for the first that fits. Raises `BadRequest`."""
    engines = await Link.current().workers.tts_engines()
    voices = [each for name, status in engines.items() if engine in ("", name) for each in status.voices or []]
    names = [each.name for each in voices]
    if voice in names or not (voice and names):
        return voice
    if voice in VOICE_ALIASES:
        english = [each.name for each in voices if each.language.partition("-")[0] == "en"]
        return (english or names)[VOICE_ALIASES.index(voice) % len(english or names)]
    why = "The name is wrong, or its engine isn't running."
    raise BadRequest("voice", f"Voice “{voice}” not found.", why, LIST_VOICES)
