"""Voices by name. Names that programs have built in or in their settings are aliases: OpenAI's, those of Kokoro, and
those of Piper. The latter two name a language, which the voice then has."""

import re
from zlib import crc32

from inference.messages import Voice
from speech.dialects.openai.errors import BadRequest
from speech.gateway.link import Link
from speech.text.languages import name_of

OPENAI_VOICES = (
    *("alloy", "ash", "ballad", "coral", "echo", "fable", "nova", "onyx", "sage", "shimmer", "verse", "marin"),
    "cedar",
)
_KOKORO = re.compile(r"([abefhijpz])([fm])_\w+")
"""af_heart: American, female. A mixture, such as af_bella(2)+af_sky(1), has the language of its first voice."""
_KOKORO_LANGUAGES = dict(
    pair.split() for pair in ["a en-US", "b en-GB", "e es", "f fr", "h hi", "i it", "j ja", "p pt-BR", "z zh"]
)
_KINDS = {"f": "female", "m": "male"}
_PIPER = re.compile(r"(?:\S*/)?(?:piper-|voice-)?([a-z]{2})[_-]([a-z]{2})-[\w-]+(?:\.onnx)?", re.IGNORECASE)
"""en_US-amy-low; also as a model: speaches-ai/piper-en_US-amy-low, voice-en-us-amy-low."""
LIST_VOICES = "GET /v1/audio/voices lists them."


async def voice_named(voice: str, engine: str, model: str = "") -> str:
    """Name of the voice, or "" for the first that fits. `model`: its name may be that of a voice, too. Raises
    `BadRequest`."""
    engines = await Link.current().workers.tts_engines()
    voices = [each for name, status in engines.items() if engine in ("", name) for each in status.voices or []]
    if not voices or any(each.name == voice for each in voices):
        return voice
    if voice.lower() in OPENAI_VOICES:
        english = _speaking("en", voices) or voices
        return english[OPENAI_VOICES.index(voice.lower()) % len(english)].name
    if found := _KOKORO.match(voice):
        return _similar(voice, _KOKORO_LANGUAGES[found[1]], _KINDS[found[2]], voices)
    if found := _PIPER.fullmatch(voice) or _PIPER.fullmatch(model):
        stem = found[0].rpartition("/")[2].removeprefix("piper-").removesuffix(".onnx")
        is_available = any(each.name == stem for each in voices)
        return stem if is_available else _similar(stem, f"{found[1].lower()}-{found[2].upper()}", "", voices)
    if not voice:
        return ""
    raise BadRequest(
        "voice", f"Voice “{voice}” not found.", "The name is wrong, or its engine isn't running.", LIST_VOICES
    )


def _similar(alias: str, language: str, kind: str, voices: list[Voice]) -> str:
    """The same voice for the same alias: of the language, and if possible of the region and the kind."""
    similar = _speaking(language, voices) or _speaking(language.partition("-")[0], voices)
    if not similar:
        why = f"It speaks {name_of(language).title()}, which no voice of this site does."
        raise BadRequest("voice", f"Voice “{alias}” not found.", why, LIST_VOICES)
    same_kind = [each for each in similar if each.kind == kind] or similar
    return same_kind[crc32(alias.encode()) % len(same_kind)].name


def _speaking(language: str, voices: list[Voice]) -> list[Voice]:
    prefix = language.lower()
    return [each for each in voices if f"{each.language.lower()}-".startswith(f"{prefix}-")]
