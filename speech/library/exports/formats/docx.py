"""A document for word processors: a title, what is known of the session, and a paragraph for each utterance."""

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
REST_AFTER = 50
"""Paragraphs after which others may have their turn."""
RIGHT_TO_LEFT = ("R", "AL")


def write(document: Document, options: Options) -> Iterator[bytes]:
    # Loads lxml: time and memory that only those pay who want a document.
    from docx import Document as Paper

    paper = Paper()
    paper.core_properties.title = _printable(document.title)
    paper.core_properties.author = ""
    paper.core_properties.comments = ""
    _align(paper.add_heading(_printable(document.title), level=1))
    if document.started_at:
        paper.add_paragraph(f"{document.started_at:%Y-%m-%d %H:%M} · {clock(document.duration)}", style="Subtitle")
    for number, utterance in enumerate(document.segments):
        _add(paper, utterance, options)
        if number % REST_AFTER == 0:
            yield b""
    file = io.BytesIO()
    paper.save(file)
    yield file.getvalue()


def _add(paper: Any, utterance: Segment, options: Options) -> None:
    paragraph = paper.add_paragraph()
    if options.times:
        paragraph.add_run(f"{clock(utterance.start)}  ").italic = True
    if options.speakers and utterance.speaker:
        paragraph.add_run(f"{_printable(utterance.speaker)}: ").bold = True
    paragraph.add_run(_printable(utterance.text))
    _align(paragraph)


def _align(paragraph: "Paragraph") -> None:
    """Word processors do not find out by themselves that a paragraph is read from the right."""
    if not _is_right_to_left(paragraph.text):
        return
    from docx.oxml import OxmlElement

    paragraph._p.get_or_add_pPr().append(OxmlElement("w:bidi"))
    for run in paragraph.runs:
        run.font.rtl = True


def _is_right_to_left(text: str) -> bool:
    """By the first letter that has a direction, as Unicode's own rule has it."""
    directions = (unicodedata.bidirectional(character) for character in text)
    return next((way for way in directions if way in ("L", *RIGHT_TO_LEFT)), "L") in RIGHT_TO_LEFT


def _printable(text: str) -> str:
    return NOT_IN_XML.sub("", text)


FORMAT = Format(
    "docx",
    "Word document",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    write,
)
