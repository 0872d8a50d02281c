"""JSON with the whole transcript, as `docs/transcript.schema.json` describes it, written segment by segment."""

from collections.abc import Iterator
from datetime import UTC
from typing import Any

import msgspec

from speech.library.exports.document import Document, Format, Options, Segment


def write(document: Document, options: Options) -> Iterator[bytes]:
    yield msgspec.json.encode(_head(document))[:-1] + b',"segments":['
    separator = b"\n"
    for segment in document.segments:
        yield separator + msgspec.json.encode(_segment(segment))
        separator = b",\n"
    yield b"\n]}\n"


def _head(document: Document) -> dict[str, Any]:
    return {
        "id": document.id,
        "title": document.title,
        "engine": document.engine,
        "language": document.language,
        "started_at": document.started_at and document.started_at.astimezone(UTC),
        "duration": document.duration,
        "is_live": document.is_live,
        "ledger": document.ledger,
    }


def _segment(segment: Segment) -> dict[str, Any]:
    return {
        "start": segment.start,
        "end": segment.end,
        "speaker": segment.speaker or None,
        "text": segment.text,
        "words": [
            {"text": word.text, "start": word.start, "end": word.end, "confidence": word.confidence}
            for word in segment.words
        ],
    }


FORMAT = Format("json", "JSON", "application/json", write)
