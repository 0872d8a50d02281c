"""Query parameters of `/v1/listen`. Each is obeyed or, with a value that isn't supported, refused; a few have no effect
here: `version`, `tier`, `no_delay`, `filler_words` (engines decide), `mip_opt_out` (nothing is used for training)."""

import re
from dataclasses import dataclass, field
from typing import Any

from django.http import QueryDict

from speech.dialects.deepgram.errors import InvalidParameter
from speech.dialects.deepgram.listen.formatting import Formatting
from speech.dialects.deepgram.parameters import choice, flag, number, refuse, whole_number

MODEL_ALIASES = re.compile(
    r"(?:nova|enhanced|base|whisper|flux)(?:[-_]\S*)?|general|meeting|phonecall|voicemail|finance|conversationalai|video"
    r"|medical|drivethru|automotive"
)
"""Deepgram's own models: any engine that fits."""
ANY_LANGUAGE = {"", "multi"}
UNSUPPORTED = (
    *("callback", "diarize", "diarize_model", "multichannel", "redact", "detect_entities", "ner", "search", "replace"),
    *("keyterm", "keywords", "numerals", "measurements", "dictation"),
)
UNSUPPORTED_RECORDED = (*("summarize", "topics", "custom_topic", "intents", "custom_intent", "sentiment", "translate"),)
UNSUPPORTED_LIVE = ("paragraphs", "utterances", "detect_language")
"""Deepgram has these for recordings only."""
MIN_UTTERANCE_END_MS, MAX_MS = 1_000, 60_000
DEFAULT_SPLIT = 0.8


@dataclass(frozen=True)
class Query:
    engine: str = ""
    language: str = ""
    formatting: Formatting = field(default_factory=Formatting)
    tags: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()
    """`KEY:VALUE` each: they come back in the metadata."""
    # Live:
    interim_results: bool = False
    vad_events: bool = False
    endpointing: float | None = None
    """Seconds of silence that end an utterance, after the engine has ended its segment; None: the engine decides;
    infinite: nothing ends it."""
    utterance_end: float | None = None
    """Seconds between words after which `UtteranceEnd` is sent; None: it is not."""
    # Recordings:
    utterances: bool = False
    utterance_split: float | None = None
    """Seconds between words of two utterances; None: the engine decides."""
    paragraphs: bool = False

    @classmethod
    def of_live(cls, query: QueryDict) -> "Query":
        """Raises `InvalidParameter`."""
        refuse(query, (*UNSUPPORTED, *UNSUPPORTED_RECORDED, *UNSUPPORTED_LIVE))
        return cls(
            **_common(query),
            interim_results=flag(query, "interim_results"),
            vad_events=flag(query, "vad_events"),
            endpointing=_endpointing(query),
            utterance_end=_utterance_end(query),
        )

    @classmethod
    def of_recording(cls, query: QueryDict) -> "Query":
        """Raises `InvalidParameter`."""
        refuse(query, (*UNSUPPORTED, *UNSUPPORTED_RECORDED))
        has_split = "utt_split" in query
        common = _common(query)
        if flag(query, "detect_language"):
            common["language"] = ""
        return cls(
            **common,
            utterances=flag(query, "utterances"),
            utterance_split=number(query, "utt_split", DEFAULT_SPLIT, 0.0, 60.0) if has_split else None,
            paragraphs=flag(query, "paragraphs") or flag(query, "smart_format"),
        )


def _common(query: QueryDict) -> dict[str, Any]:
    engine, language = model_and_language(query)
    choice(query, "alternatives", "1", ("1",))
    return {
        "engine": engine,
        "language": language,
        "formatting": Formatting(
            # Without both, Deepgram omits punctuation; engines that write it keep it here.
            has_punctuation=flag(query, "punctuate", True) or flag(query, "smart_format"),
            masks_profanity=flag(query, "profanity_filter"),
        ),
        "tags": tuple(query.getlist("tag")),
        "extra": tuple(query.getlist("extra")),
    }


def model_and_language(query: QueryDict) -> tuple[str, str]:
    """Raises `InvalidParameter`."""
    model, language = query.get("model", ""), query.get("language", "")
    language = "" if language in ANY_LANGUAGE else language
    hints = query.getlist("language_hint") if not language else []
    if len(hints) > 1:
        raise InvalidParameter("Several languages in “language_hint” aren't supported.", "An engine has one language.")
    return "" if MODEL_ALIASES.fullmatch(model) else model, language or "".join(hints)


def _endpointing(query: QueryDict) -> float | None:
    value = query.get("endpointing", "").lower()
    if value in ("", "true"):
        return None
    if value in ("0", "false"):
        return float("inf")
    return whole_number(query, "endpointing", 0, 0, MAX_MS) / 1000


def _utterance_end(query: QueryDict) -> float | None:
    if not query.get("utterance_end_ms"):
        return None
    return whole_number(query, "utterance_end_ms", MIN_UTTERANCE_END_MS, MIN_UTTERANCE_END_MS, MAX_MS) / 1000
