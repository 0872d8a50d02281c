"""Formats of a transcript: `write(transcript, granularities, with_logprobs)` returns its content type and content."""

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


def json_of(transcript: Transcription, with_logprobs: bool = False) -> dict[str, Any]:
    extra = {"logprobs": logprobs(transcript.words)} if with_logprobs else {}
    return {"text": transcript.text, **extra, "usage": {"type": "duration", "seconds": math.ceil(transcript.duration)}}


def _json(transcript: Transcription, with_logprobs: bool, **_: Any) -> Content:
    return JSON, _encode(json_of(transcript, with_logprobs))


def _verbose_json(transcript: Transcription, granularities: frozenset[str], **_: Any) -> Content:
    body = {
        "task": "transcribe",
        "language": transcript.language,
        "duration": round(transcript.duration, 3),
        **json_of(transcript),
    }
    if "segment" in granularities:
        body["segments"] = [_segment(number, segment) for number, segment in enumerate(transcript.segments)]
    if "word" in granularities:
        body["words"] = [
            {"word": word.text.rstrip(), "start": round(word.start, 3), "end": round(word.end, 3)}
            for word in transcript.words
        ]
    return JSON, _encode(body)


def _segment(number: int, segment: Segment) -> dict[str, Any]:
    """Whisper's fields. Tokens, temperature and the probability of silence have no meaning here."""
    text = segment.text.encode()
    return {
        "id": number,
        "seek": round(segment.start * 100),  # frames of 10 ms
        "start": round(segment.start, 3),
        "end": round(segment.end, 3),
        "text": f" {segment.text}",
        "tokens": [],
        "temperature": 0.0,
        "avg_logprob": _average_logprob(segment.words),
        "compression_ratio": round(len(text) / len(zlib.compress(text)), 3),
        "no_speech_prob": 0.0,
    }


def _average_logprob(words: Sequence[Word]) -> float:
    known = [_logprob(word.confidence) for word in words if word.confidence is not None]
    return round(sum(known) / len(known), 4) if known else 0.0


def _logprob(confidence: float) -> float:
    return round(math.log(max(confidence, 1e-6)), 4)


def logprobs(words: list[Word]) -> list[dict[str, Any]]:
    """Log probabilities, with words as tokens. A word without a confidence counts as certain."""
    return [
        {"token": word.text, "logprob": _logprob(1.0 if word.confidence is None else word.confidence),
         "bytes": list(word.text.encode())}
        for word in words
    ]  # fmt: skip


def _text(transcript: Transcription, **_: Any) -> Content:
    return "text/plain; charset=utf-8", f"{transcript.text}\n".encode()


def _export(extension: str) -> Callable[..., Content]:
    format = exports.FORMATS[extension]

    def write(transcript: Transcription, **_: Any) -> Content:
        return format.content_type, b"".join(format.write(Document("", transcript.segments), Options()))

    return write


def _encode(body: dict[str, Any]) -> bytes:
    return json.dumps(body, ensure_ascii=False).encode()


FORMATS: dict[str, Callable[..., Content]] = {
    "json": _json,
    "text": _text,
    "srt": _export("srt"),
    "verbose_json": _verbose_json,
    "vtt": _export("vtt"),
}
