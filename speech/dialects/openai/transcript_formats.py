"""Formats of a transcript: `write(transcript, model, …)` returns its content type and content."""

import json
import math
import zlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from inference.messages import UNKNOWN_LANGUAGE
from speech.batch.transcription import Segment, Transcription
from speech.dialects.openai import usage
from speech.events import Word
from speech.library import exports
from speech.library.exports import Document, Options
from speech.text.languages import name_of
from speech.text.word_spacing import gap

Content = tuple[str, bytes]
JSON = "application/json"
LANGUAGE_MODELS = ("gpt-transcribe", "gpt-live-transcribe")
"""OpenAI's models that report the languages that they detected."""


def json_of(transcript: Transcription, model: str = "", with_logprobs: bool = False) -> dict[str, Any]:
    """`model`: the name that the client requested, which decides what is reported."""
    extra: dict[str, Any] = {"logprobs": logprobs(transcript.words)} if with_logprobs else {}
    if model in LANGUAGE_MODELS:
        extra["languages"] = languages(transcript.language)
    used = usage.of_transcription(model, transcript.duration, len(transcript.words))
    return {"text": transcript.text, **extra, "usage": used}


def languages(language: str) -> list[dict[str, str]]:
    return [] if language in ("", UNKNOWN_LANGUAGE) else [{"code": language}]


def _json(transcript: Transcription, model: str, with_logprobs: bool, **_: Any) -> Content:
    return JSON, _encode(json_of(transcript, model, with_logprobs))


def _verbose_json(
    transcript: Transcription, model: str, granularities: frozenset[str], task: str = "transcribe", **_: Any
) -> Content:
    body = {
        "task": task,
        "language": name_of(transcript.language),
        "duration": round(transcript.duration, 3),
        **json_of(transcript, model),
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


def logprobs(words: Sequence[Word], before: str = "") -> list[dict[str, Any]]:
    """Log probabilities. A token is a word with the space before it, so that all tokens together are the text. A word
    without a confidence counts as certain. `before`: the word before them."""
    return [_token(word, gap(previous, word.text) + word.text) for previous, word in _with_previous(words, before)]


def _with_previous(words: Sequence[Word], before: str) -> Iterator[tuple[str, Word]]:
    return zip((before, *(word.text for word in words)), words, strict=False)


def _token(word: Word, token: str) -> dict[str, Any]:
    confidence = 1.0 if word.confidence is None else word.confidence
    return {"token": token, "logprob": _logprob(confidence), "bytes": list(token.encode())}


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
