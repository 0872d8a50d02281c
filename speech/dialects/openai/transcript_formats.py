"""The formats of a transcript: `write(heard, granularities, with_logprobs)` gives its content type and content."""

import json
import math
import zlib
from collections.abc import Callable, Sequence
from typing import Any

from speech.batch.transcription import Segment, Transcription
from speech.events import Word
from speech.library import exports
from speech.library.exports import Document, Options

Content = tuple[str, bytes]
JSON = "application/json"


def json_of(heard: Transcription, with_logprobs: bool = False) -> dict[str, Any]:
    extra = {"logprobs": logprobs(heard.words)} if with_logprobs else {}
    return {"text": heard.text, **extra, "usage": {"type": "duration", "seconds": math.ceil(heard.duration)}}


def _json(heard: Transcription, with_logprobs: bool, **_: Any) -> Content:
    return JSON, _encoded(json_of(heard, with_logprobs))


def _verbose_json(heard: Transcription, granularities: frozenset[str], **_: Any) -> Content:
    told = {
        "task": "transcribe",
        "language": heard.language,
        "duration": round(heard.duration, 3),
        **json_of(heard),
    }
    if "segment" in granularities:
        told["segments"] = [_segment(number, utterance) for number, utterance in enumerate(heard.segments)]
    if "word" in granularities:
        told["words"] = [{"word": w.text, "start": round(w.start, 3), "end": round(w.end, 3)} for w in heard.words]
    return JSON, _encoded(told)


def _segment(number: int, utterance: Segment) -> dict[str, Any]:
    """Whisper's figures, as far as they mean anything here: no tokens, no temperature, and silence is no segment."""
    text = utterance.text.encode()
    return {
        "id": number,
        "seek": round(utterance.start * 100),  # frames of 10 ms
        "start": round(utterance.start, 3),
        "end": round(utterance.end, 3),
        "text": f" {utterance.text}",
        "tokens": [],
        "temperature": 0.0,
        "avg_logprob": _average_logprob(utterance.words),
        "compression_ratio": round(len(text) / len(zlib.compress(text)), 3),
        "no_speech_prob": 0.0,
    }


def _average_logprob(words: Sequence[Word]) -> float:
    known = [_logprob(word.confidence) for word in words if word.confidence is not None]
    return round(sum(known) / len(known), 4) if known else 0.0


def _logprob(confidence: float) -> float:
    return round(math.log(max(confidence, 1e-6)), 4)


def logprobs(words: list[Word]) -> list[dict[str, Any]]:
    """A word is a token here; one whose confidence the engine does not tell counts as certain."""
    return [
        {"token": word.text, "logprob": _logprob(1.0 if word.confidence is None else word.confidence),
         "bytes": list(word.text.encode())}
        for word in words
    ]  # fmt: skip


def _text(heard: Transcription, **_: Any) -> Content:
    return "text/plain; charset=utf-8", f"{heard.text}\n".encode()


def _exported(extension: str) -> Callable[..., Content]:
    format = exports.FORMATS[extension]

    def write(heard: Transcription, **_: Any) -> Content:
        return format.content_type, b"".join(format.write(Document("", heard.segments), Options()))

    return write


def _encoded(told: dict[str, Any]) -> bytes:
    return json.dumps(told, ensure_ascii=False).encode()


FORMATS: dict[str, Callable[..., Content]] = {
    "json": _json,
    "text": _text,
    "srt": _exported("srt"),
    "verbose_json": _verbose_json,
    "vtt": _exported("vtt"),
}
