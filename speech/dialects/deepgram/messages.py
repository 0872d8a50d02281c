"""Deepgram's messages: results and metadata."""

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from speech.events import Word
from speech.text.word_spacing import join_words

CHANNEL = [0, 1]
"""Index and number of channels: they are mixed into one."""


class Request:
    """Ids and metadata of one stream or recording."""

    def __init__(self) -> None:
        self.id = str(uuid.uuid4())
        self.model = str(uuid.uuid5(uuid.NAMESPACE_URL, "engine:"))
        self.info = {"name": "", "version": "1", "arch": ""}
        self.created = datetime.now(UTC)

    def set_engine(self, engine: str) -> None:
        """Set the engine. Its id never changes, as those of Deepgram's models don't."""
        self.model = str(uuid.uuid5(uuid.NAMESPACE_URL, f"engine:{engine}"))
        self.info = {"name": engine, "version": "1", "arch": engine}

    def results(
        self, words: Sequence[Word], start: float, end: float, flags: dict[str, bool], partial: str = ""
    ) -> dict[str, Any]:
        """Result for the audio from `start` to `end` (seconds). `partial` follows the words, and may still change."""
        best = alternative(words)
        if partial:
            best["transcript"] = join_words([*(word.text for word in words), partial])
        return {
            "type": "Results",
            "channel_index": CHANNEL,
            "start": round(start, 3),
            "duration": round(max(0.0, end - start), 3),
            **flags,
            "channel": {"alternatives": [best]},
            "metadata": {"request_id": self.id, "model_info": self.info, "model_uuid": self.model},
        }

    def metadata(self, duration: float, sha256: str) -> dict[str, Any]:
        return {
            "transaction_key": "deprecated",
            "request_id": self.id,
            "sha256": sha256,
            "created": self.created.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "duration": round(duration, 3),
            "channels": 1,
            "models": [self.model],
            "model_info": {self.model: self.info},
        }


def alternative(words: Sequence[Word]) -> dict[str, Any]:
    return {
        "transcript": join_words(word.text for word in words),
        "confidence": confidence(words),
        "words": [_word(word) for word in words],
    }


def confidence(words: Sequence[Word]) -> float:
    """Mean confidence, 0 without words. A word without a confidence counts as certain."""
    return round(sum(_confidence(word) for word in words) / len(words), 4) if words else 0.0


def _confidence(word: Word) -> float:
    return 1.0 if word.confidence is None else word.confidence


def _word(word: Word) -> dict[str, Any]:
    """Deepgram has both the bare word and its form in the text."""
    return {
        "word": word.text.rstrip().strip('.,;:!?…"“”()').lower() or word.text.rstrip(),
        "start": round(word.start, 3),
        "end": round(word.end, 3),
        "confidence": round(_confidence(word), 4),
        "punctuated_word": word.text.rstrip(),
    }
