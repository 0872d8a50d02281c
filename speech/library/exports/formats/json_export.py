"""Everything that is known, as `docs/transcript.schema.json` describes it. Written utterance by utterance."""

from collections.abc import Iterator
from typing import Any

import msgspec

from speech.library.exports.document import Document, Format, Options, Segment


def write(document: Document, options: Options) -> Iterator[bytes]:
    yield msgspec.json.encode(_head(document))[:-1] + b',"utterances":['
    separator = b"\n"
    for utterance in document.segments:
        yield separator + msgspec.json.encode(_segment(utterance))
        separator = b",\n"
    yield b"\n]}\n"


def _head(document: Document) -> dict[str, Any]:
    return {
        "id": document.id,
        "title": document.title,
        "engine": document.engine,
        "language": document.language,
        "started_at": document.started_at,
        "duration": document.duration,
        "is_live": document.is_live,
        "ledger": document.ledger,
    }


def _segment(utterance: Segment) -> dict[str, Any]:
    return {
        "start": utterance.start,
        "end": utterance.end,
        "speaker": utterance.speaker or None,
        "text": utterance.text,
        "words": [
            {"text": word.text, "start": word.start, "end": word.end, "confidence": word.confidence}
            for word in utterance.words
        ],
    }


FORMAT = Format("json", "JSON", "application/json", write)
