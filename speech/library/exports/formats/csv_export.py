"""A row for each segment or, optionally, for each word. Times in seconds."""

import csv
import io
import re
from collections.abc import Iterable, Iterator

from speech.library.exports.document import Document, Format, Options, Segment, one_line

BYTE_ORDER_MARK = "\ufeff"
"""Without it Excel does not detect UTF-8."""
FORMULA = re.compile(r"(?:^|[;|؛])[\s\"]*(?=[=+\-@＝＋－＠])")
"""Where a formula can begin. Spreadsheets run a cell that starts with one of these signs; an apostrophe in front
makes it text. In many countries they also separate cells at semicolons, whatever quotes surround the text."""

Cell = str | float | None


def write(document: Document, options: Options) -> Iterator[bytes]:
    confidence: list[Cell] = ["confidence"] if options.words else []
    yield (BYTE_ORDER_MARK + _line(["segment", "start", "end", "speaker", "text", *confidence])).encode()
    rows = _word_rows if options.words else _segment_rows
    for number, segment in enumerate(document.segments, 1):
        yield "".join(_line(row) for row in rows(number, segment)).encode()


def _segment_rows(number: int, segment: Segment) -> Iterator[list[Cell]]:
    yield [number, _time(segment.start), _time(segment.end), _text(segment.speaker), _text(segment.text)]


def _word_rows(number: int, segment: Segment) -> Iterator[list[Cell]]:
    for word in segment.words:
        yield [
            number,
            _time(word.start),
            _time(word.end),
            _text(segment.speaker),
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
    return FORMULA.sub(r"\g<0>'", one_line(text))


FORMAT = Format("csv", "Spreadsheet", "text/csv; charset=utf-8", write)
