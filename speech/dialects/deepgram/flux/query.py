"""Query parameters of `/v2/listen`, and its thresholds."""

from dataclasses import dataclass, replace

import msgspec
from django.http import QueryDict

from speech.dialects.deepgram.errors import InvalidParameter
from speech.dialects.deepgram.listen.formatting import Formatting
from speech.dialects.deepgram.listen.query import model_and_language
from speech.dialects.deepgram.parameters import flag, number, refuse, whole_number

UNSUPPORTED = ("keyterm", "numerals", "redact", "callback", "diarize")
EAGER, CONFIDENCE = (0.3, 0.9), (0.5, 1.0)
TIMEOUT_MS = (500, 60_000)
DEFAULT_CONFIDENCE, DEFAULT_TIMEOUT_MS = 0.7, 5_000
"""Deepgram's."""


class Change(msgspec.Struct, forbid_unknown_fields=True):
    """Thresholds that a `Configure` changes; None: it does not."""

    eager_eot_threshold: float | None = None
    eot_threshold: float | None = None
    eot_timeout_ms: int | None = None


@dataclass(frozen=True)
class Thresholds:
    eager: float | None = None
    """Confidence from which on `EagerEndOfTurn` is sent; None: it is not."""
    confidence: float = DEFAULT_CONFIDENCE
    timeout_ms: int = DEFAULT_TIMEOUT_MS

    @property
    def timeout(self) -> float:
        """Seconds of silence after which a turn ends in any case."""
        return self.timeout_ms / 1000

    def changed(self, change: Change) -> "Thresholds":
        """Raises `InvalidParameter`."""
        thresholds = replace(
            self,
            eager=self.eager if change.eager_eot_threshold is None else change.eager_eot_threshold,
            confidence=self.confidence if change.eot_threshold is None else change.eot_threshold,
            timeout_ms=self.timeout_ms if change.eot_timeout_ms is None else change.eot_timeout_ms,
        )
        thresholds.check()
        return thresholds

    def check(self) -> None:
        """Raises `InvalidParameter`."""
        for name, value, (least, most) in (
            ("eager_eot_threshold", self.eager, EAGER),
            ("eot_threshold", self.confidence, CONFIDENCE),
            ("eot_timeout_ms", self.timeout_ms, TIMEOUT_MS),
        ):
            if value is not None and not least <= value <= most:
                raise InvalidParameter(f"“{name}” is out of range.", f"Supported: {least:g} to {most:g}.")
        if self.eager is not None and self.eager > self.confidence:
            raise InvalidParameter("“eager_eot_threshold” is out of range.", "It can't be above “eot_threshold”.")

    def to_dict(self) -> dict[str, float | None]:
        return {
            "eager_eot_threshold": self.eager,
            "eot_threshold": self.confidence,
            "eot_timeout_ms": self.timeout_ms,
        }


@dataclass(frozen=True)
class Query:
    engine: str
    language: str
    hints: tuple[str, ...]
    thresholds: Thresholds
    formatting: Formatting

    @classmethod
    def of(cls, query: QueryDict) -> "Query":
        """Raises `InvalidParameter`."""
        refuse(query, UNSUPPORTED)
        engine, language = model_and_language(query)
        has_eager = bool(query.get("eager_eot_threshold"))
        thresholds = Thresholds(
            eager=number(query, "eager_eot_threshold", 0.0, *EAGER) if has_eager else None,
            confidence=number(query, "eot_threshold", DEFAULT_CONFIDENCE, *CONFIDENCE),
            timeout_ms=whole_number(query, "eot_timeout_ms", DEFAULT_TIMEOUT_MS, *TIMEOUT_MS),
        )
        thresholds.check()
        formatting = Formatting(masks_profanity=flag(query, "profanity_filter"))
        return cls(engine, language, tuple(query.getlist("language_hint")), thresholds, formatting)
