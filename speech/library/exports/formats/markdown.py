"""Markdown: a heading, date and duration, and a paragraph for each segment."""

import re
from collections.abc import Iterator

from accounts.time_zone import named_time
from speech.library.exports.document import Document, Format, Options, one_line
from speech.text.timecode import clock

MARKUP = re.compile(r"([\\`*_{}\[\]<>#|~&!])")
BLOCK_MARKUP = re.compile(r"^(\s*)([-+=]|\d+(?=[.)]))")
"""Markup of lists, rules and headings, effective only at the start of a paragraph."""


def write(document: Document, options: Options) -> Iterator[bytes]:
    yield f"# {escape(document.title)}\n\n".encode()
    if document.started_at:
        yield f"{named_time(document.started_at)} · {clock(document.duration)}\n\n".encode()
    for segment in document.segments:
        yield (_lead(segment.start, segment.speaker, options) + escape(segment.text) + "\n\n").encode()


def _lead(start: float, speaker: str, options: Options) -> str:
    parts = [clock(start)] if options.times else []
    if options.speakers and one_line(speaker):
        parts.append(escape(speaker))
    return f"**{' '.join(parts)}** " if parts else ""


def escape(text: str) -> str:
    """Escape Markdown markup."""
    return BLOCK_MARKUP.sub(_escape_first, MARKUP.sub(r"\\\1", one_line(text)))


def _escape_first(match: re.Match[str]) -> str:
    mark = match[2]
    return f"{mark}\\" if mark.isdigit() else f"\\{mark}"


FORMAT = Format("md", "Markdown", "text/markdown; charset=utf-8", write)
