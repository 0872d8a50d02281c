"""Which engine and voice is meant. Programs are often written with the names of OpenAI's models and voices built in, so
those stand for what this site has."""

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
LIST = "GET /v1/audio/voices lists them."


async def engine_named(model: str, kind: Kind, param: str = "model") -> str:
    """The name of the engine, or "" for any. Raises `NoSuchModel`, or `NoEngine` if there is none at all."""
    engines = await Link.current().engines(kind)
    if not engines:
        raise NoEngine
    if model in engines:
        return model
    if not model or MODEL_ALIASES[kind].fullmatch(model):
        return ""
    have = ", ".join(sorted(engines))
    raise ModelNotFound(param, f"There is no model “{model}”.", f"Running are: {have}.", "GET /v1/models lists them.")


async def voice_named(voice: str, engine: str) -> str:
    """The name of the voice, or "" for the first that fits. Raises `BadRequest`."""
    there = {name: status for name, status in (await Link.current().tts_engines()).items() if engine in ("", name)}
    names = [each.name for status in there.values() for each in status.voices or []]
    if voice in names or not (voice and names):
        return voice
    if voice in VOICE_ALIASES:
        english = [
            each.name
            for status in there.values()
            for each in status.voices or []
            if each.language.partition("-")[0] == "en"
        ]
        return (english or names)[VOICE_ALIASES.index(voice) % len(english or names)]
    raise BadRequest("voice", f"There is no voice “{voice}”.", "It is misspelled, or its engine is not running.", LIST)
