"""A heading, what is known of the session, and a paragraph for each utterance."""

import re
from collections.abc import Iterator

from speech.library.exports.document import Document, Format, Options
from speech.text.timecode import clock

MARKUP = re.compile(r"([\\`*_{}\[\]<>#|~&!])")
AT_THE_BEGINNING = re.compile(r"^(\s*)([-+=]|\d+(?=[.)]))")
"""What makes a list, a rule or a heading, but only where a paragraph begins."""


def write(document: Document, options: Options) -> Iterator[bytes]:
    yield f"# {plain(document.title)}\n\n".encode()
    if document.started_at:
        yield f"{document.started_at:%Y-%m-%d %H:%M} · {clock(document.duration)}\n\n".encode()
    for utterance in document.segments:
        yield (_lead(utterance.start, utterance.speaker, options) + plain(utterance.text) + "\n\n").encode()


def _lead(start: float, speaker: str, options: Options) -> str:
    parts = [clock(start)] if options.times else []
    if options.speakers and speaker:
        parts.append(plain(speaker))
    return f"**{' '.join(parts)}** " if parts else ""


def plain(text: str) -> str:
    """With everything that Markdown would take for markup kept from it."""
    return AT_THE_BEGINNING.sub(_escape_first, MARKUP.sub(r"\\\1", " ".join(text.split())))


def _escape_first(found: re.Match[str]) -> str:
    mark = found[2]
    return f"{mark}\\" if mark.isdigit() else f"\\{mark}"


FORMAT = Format("md", "Markdown", "text/markdown; charset=utf-8", write)
