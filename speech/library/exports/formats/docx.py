"""Word document: a title, date and duration, and a paragraph for each segment."""

import io
import unicodedata
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from accounts.time_zone import named_time
from speech.library.exports.document import Document, Format, Options, Segment, one_line
from speech.text.timecode import clock

if TYPE_CHECKING:
    from docx.text.paragraph import Paragraph

YIELD_EVERY = 50
"""Paragraphs after which other work can run."""
RIGHT_TO_LEFT = ("R", "AL")


def write(document: Document, options: Options) -> Iterator[bytes]:
    # Imported only when needed: it loads lxml, which costs time and memory.
    from docx import Document as Paper

    paper = Paper()
    paper.core_properties.title = one_line(document.title)
    paper.core_properties.author = ""
    paper.core_properties.comments = ""
    _align(paper.add_heading(one_line(document.title), level=1))
    if document.started_at:
        paper.add_paragraph(f"{named_time(document.started_at)} · {clock(document.duration)}", style="Subtitle")
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
    if options.speakers and (speaker := one_line(segment.speaker)):
        paragraph.add_run(f"{speaker}: ").bold = True
    paragraph.add_run(one_line(segment.text))
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


FORMAT = Format(
    "docx",
    "Word document",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    write,
)
