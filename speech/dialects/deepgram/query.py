"""Query parameters of `/v1/listen`. Those of other features are ignored, as Deepgram ignores what a model lacks."""

import re
from dataclasses import dataclass

from django.http import QueryDict

from speech.dialects.audio import AudioDecoder
from speech.errors import ProtocolError

MODEL_ALIASES = re.compile(r"(nova|enhanced|base|whisper|flux)([-_]\S*)?")
ANY_LANGUAGE = {"", "multi"}
FORMATS = {
    "linear16": "s16le",
    "linear32": "f32le",
    "mulaw": "mulaw",
    "alaw": "alaw",
    "opus": "opus",
    "ogg-opus": "opus",
}
"""Deepgram's names of encodings and ours."""
DEFAULT_RATE = 16_000  # Hz


@dataclass(frozen=True)
class Query:
    engine: str = ""
    language: str = ""
    encoding: str = ""
    rate: int = DEFAULT_RATE
    channels: int = 1
    interim_results: bool = False
    utterance_end: bool = False
    vad_events: bool = False
    utterances: bool = False

    @classmethod
    def of(cls, query: QueryDict) -> "Query":
        """Parse the query. Raises `ProtocolError`."""
        model, language = query.get("model", ""), query.get("language", "")
        encoding = query.get("encoding", "")
        if encoding and encoding not in FORMATS:
            raise ProtocolError(f"Unsupported encoding “{encoding}”.", f"Supported: {', '.join(FORMATS)}.")
        return cls(
            engine="" if MODEL_ALIASES.fullmatch(model) else model,
            language="" if language in ANY_LANGUAGE else language,
            encoding=encoding,
            rate=_number(query, "sample_rate", DEFAULT_RATE),
            channels=_number(query, "channels", 1),
            interim_results=_is_on(query, "interim_results"),
            utterance_end="utterance_end_ms" in query,
            vad_events=_is_on(query, "vad_events"),
            utterances=_is_on(query, "utterances"),
        )

    def decoder(self) -> AudioDecoder:
        """Create the decoder of the audio. Raises `ProtocolError`."""
        return AudioDecoder(FORMATS[self.encoding or "linear16"], self.rate, self.channels)


def _is_on(query: QueryDict, name: str) -> bool:
    return query.get(name, "").lower() in ("true", "1")


def _number(query: QueryDict, name: str, default: int) -> int:
    try:
        return int(query.get(name) or default)
    except ValueError:
        raise ProtocolError(f"“{name}” isn't a number.", "Use a whole number.") from None
