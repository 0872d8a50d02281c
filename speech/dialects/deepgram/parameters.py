"""Reading of query parameters. What is given and can't be obeyed is refused: a client would rely on it."""

from collections.abc import Iterable

from django.http import QueryDict

from inference.messages import Status
from speech.dialects.audio import MAX_RATE, MIN_RATE, AudioDecoder
from speech.dialects.deepgram.errors import InvalidParameter
from speech.dialects.sockets.audio_input import AudioInput
from speech.gateway.link import Link
from speech.gateway.slot_request import choose

ON, OFF = ("true", "1"), ("false", "0", "")
RAW = {"linear16": "s16le", "linear32": "f32le", "mulaw": "mulaw", "alaw": "alaw"}
"""Deepgram's names of encodings of raw samples, and ours."""
OPUS = ("opus", "ogg-opus")
CONTAINERS = {"flac": "flac", "amr-nb": "amrnb", "amr-wb": "amrwb"}
"""Deepgram's names of encodings that FFmpeg decodes, and FFmpeg's."""
ENCODINGS = (*RAW, *OPUS, *CONTAINERS)
DEFAULT_RATE = 16_000  # Hz


def flag(query: QueryDict, name: str, default: bool = False) -> bool:
    """Raises `InvalidParameter`."""
    if name not in query:
        return default
    value = str(query[name]).lower()
    if value not in (*ON, *OFF):
        raise InvalidParameter(f"Invalid value of “{name}”: “{value[:40]}”.", "It is true or false.")
    return value in ON


def number(query: QueryDict, name: str, default: float, least: float, most: float) -> float:
    """Raises `InvalidParameter`."""
    text = query.get(name, "")
    try:
        value = float(text or default)
    except ValueError:
        raise InvalidParameter(f"Invalid value of “{name}”: “{text[:40]}”.", "It is a number.") from None
    if not least <= value <= most:  # also rejects NaN
        raise InvalidParameter(f"“{name}” is out of range.", f"Supported: {least:g} to {most:g}.")
    return value


def whole_number(query: QueryDict, name: str, default: int, least: int, most: int) -> int:
    """Raises `InvalidParameter`."""
    value = number(query, name, default, least, most)
    if value != int(value):
        raise InvalidParameter(f"Invalid value of “{name}”: “{value:g}”.", "It is a whole number.")
    return int(value)


def choice(query: QueryDict, name: str, default: str, supported: Iterable[str]) -> str:
    """Raises `InvalidParameter`."""
    value = query.get(name) or default
    if value not in supported:
        raise InvalidParameter(
            f"Unsupported {name} “{value[:40]}”.", f"Supported: {', '.join(filter(None, supported))}."
        )
    return value


def refuse(query: QueryDict, names: Iterable[str]) -> None:
    """Refuse features that this site doesn't have, unless they are turned off. Raises `InvalidParameter`."""
    for name in names:
        if any(value.lower() not in OFF for value in query.getlist(name)):
            raise InvalidParameter(f"“{name}” isn't supported.", "This site's engines don't have the feature.")


def audio_input(query: QueryDict) -> AudioInput:
    """The decoder of a live stream. Raises `ProtocolError`."""
    encoding = choice(query, "encoding", "", ("", *ENCODINGS))
    rate = whole_number(query, "sample_rate", DEFAULT_RATE, MIN_RATE, MAX_RATE)
    channels = whole_number(query, "channels", 1, 1, 16)
    if encoding in RAW:
        return AudioInput(AudioDecoder(RAW[encoding], rate, channels))
    if encoding in OPUS:
        return AudioInput(AudioDecoder("opus", rate))
    return AudioInput(container=CONTAINERS.get(encoding, ""))


async def check_engine(engine: str, language: str) -> None:
    """Raises `ProtocolError` if no engine has the name and the language. If none is running, the stream says so."""
    engines: dict[str, Status] = await Link.current().workers.engines("stt")
    if engines:
        choose(engines, engine, language)
