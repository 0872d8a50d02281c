"""Engines by name. The names that models have at OpenAI, in speaches and in LocalAI are aliases: programs have them
built in, or in their settings."""

import re

from inference.messages import Kind
from speech.dialects.openai.errors import ModelNotFound
from speech.errors import NoEngine
from speech.gateway.link import Link

MODEL_ALIASES: dict[Kind, re.Pattern[str]] = {
    "stt": re.compile(
        r"gpt-([\w.]+-)*(transcribe|whisper|realtime)(-\S+)?"  # OpenAI's
        r"|([\w.-]+/)?([\w.]+-)*whisper[\w.-]*|distil-whisper/\S+"  # whisper-1, Systran/faster-whisper-large-v3
        r"|(ggml-)?(tiny|base|small|medium|large(-v[1-3])?(-turbo)?|turbo)(\.en)?(\.bin)?",  # of Whisper
        re.IGNORECASE,
    ),
    "tts": re.compile(
        r"tts-1(-\S+)?|gpt-(\w+-)*tts(-\S+)?"  # OpenAI's
        r"|([\w.-]+/)?(kokoro|piper)[\w.-]*"  # speaches-ai/Kokoro-82M-v1.0-ONNX, speaches-ai/piper-en_US-amy-low
        r"|voice-[a-z]{2}-[a-z]{2}-[\w-]+",  # LocalAI's voices of Piper
        re.IGNORECASE,
    ),
}


async def engine_named(model: str, kind: Kind, param: str = "model") -> str:
    """Name of the engine, or "" for any. Raises `ModelNotFound`, or `NoEngine` if none is running."""
    engines = await Link.current().workers.engines(kind)
    if not engines:
        raise NoEngine
    if model in engines:
        return model
    if not model or is_alias(model, kind):
        return closest(model, list(engines))
    why = f"Available: {', '.join(sorted(engines))}."
    raise ModelNotFound(param, f"Model “{model}” not found.", why, "GET /v1/models lists them.")


def is_alias(model: str, kind: Kind) -> bool:
    return bool(MODEL_ALIASES[kind].fullmatch(model))


def closest(model: str, engines: list[str]) -> str:
    """The engine whose name the alias contains: whisper-small for Systran/faster-whisper-small. Empty: none."""
    return max((name for name in engines if name in model.lower()), key=len, default="")
