"""Word document: a title, date and duration, and a paragraph for each segment."""

import io
import re
import unicodedata
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from speech.library.exports.document import Document, Format, Options, Segment
from speech.text.timecode import clock

if TYPE_CHECKING:
    from docx.text.paragraph import Paragraph

NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
YIELD_EVERY = 50
"""Paragraphs after which other work can run."""
RIGHT_TO_LEFT = ("R", "AL")


def write(document: Document, options: Options) -> Iterator[bytes]:
    # Imported only when needed: it loads lxml, which costs time and memory.
    from docx import Document as Paper

    paper = Paper()
    paper.core_properties.title = _printable(document.title)
    paper.core_properties.author = ""
    paper.core_properties.comments = ""
    _align(paper.add_heading(_printable(document.title), level=1))
    if document.started_at:
        paper.add_paragraph(f"{document.started_at:%Y-%m-%d %H:%M} · {clock(document.duration)}", style="Subtitle")
    for number, segment in enumerate(document.segments):
        _add(paper, segment, options)
        if number % YIELD_EVERY == 0:
            yield b""
    file = io.BytesIO()
    paper.save(file)
    yield file.getvalue()


def _add(paper: Any, segment: Segment, options: Options) -> None:
    paragraph = paper.add_paragraph()
    if options.times:
        paragraph.add_run(f"{clock(segment.start)}  ").italic = True
    if options.speakers and segment.speaker:
        paragraph.add_run(f"{_printable(segment.speaker)}: ").bold = True
    paragraph.add_run(_printable(segment.text))
    _align(paragraph)


def _align(paragraph: "Paragraph") -> None:
    """Mark right-to-left paragraphs; word processors do not detect them."""
    if not _is_right_to_left(paragraph.text):
        return
    from docx.oxml import OxmlElement

    paragraph._p.get_or_add_pPr().append(OxmlElement("w:bidi"))
    for run in paragraph.runs:
        run.font.rtl = True


def _is_right_to_left(text: str) -> bool:
    """Whether the first letter with a direction is right-to-left, as in Unicode's own rule."""
    directions = (unicodedata.bidirectional(character) for character in text)
    return next((one for one in directions if one in ("L", *RIGHT_TO_LEFT)), "L") in RIGHT_TO_LEFT


def _printable(text: str) -> str:
    return NOT_IN_XML.sub("", text)


FORMAT = Format(
    "docx",
    "Word document",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    write,
)
