"""A row for each utterance or, if wished, for each word. Times in seconds."""

import csv
import io
from collections.abc import Iterable, Iterator

from speech.library.exports.document import Document, Format, Options, Segment

BYTE_ORDER_MARK = "\ufeff"
"""Without it Excel takes UTF-8 for something else."""
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""A cell that begins so is run by spreadsheets as a formula; an apostrophe before it says that it is text."""

Cell = str | float | None


def write(document: Document, options: Options) -> Iterator[bytes]:
    confidence: list[Cell] = ["confidence"] if options.words else []
    yield (BYTE_ORDER_MARK + _line(["utterance", "start", "end", "speaker", "text", *confidence])).encode()
    rows = _word_rows if options.words else _segment_row
    for number, utterance in enumerate(document.segments, 1):
        yield "".join(_line(row) for row in rows(number, utterance)).encode()


def _segment_row(number: int, utterance: Segment) -> Iterator[list[Cell]]:
    yield [number, _time(utterance.start), _time(utterance.end), _text(utterance.speaker), _text(utterance.text)]


def _word_rows(number: int, utterance: Segment) -> Iterator[list[Cell]]:
    for word in utterance.words:
        yield [
            number,
            _time(word.start),
            _time(word.end),
            _text(utterance.speaker),
            _text(word.text),
            word.confidence,
        ]


def _line(cells: Iterable[Cell]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow(cells)
    return line.getvalue()


def _time(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds:.3f}"


def _text(text: str) -> str:
    return f"'{text}" if text.startswith(FORMULA) else text


FORMAT = Format("csv", "Table", "text/csv; charset=utf-8", write)
