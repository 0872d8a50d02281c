"""The formats in which a transcript can be taken away, by the extensions of their files."""

from speech.exports import (
    markdown,
    plain_text,
    spreadsheet,
    structured,
    subrip,
    substation,
    webvtt,
    word_document,
)
from speech.exports.document import Document, Format, Options

FORMATS: dict[str, Format] = {
    format.extension: format
    for format in (
        plain_text.FORMAT,
        markdown.FORMAT,
        word_document.FORMAT,
        subrip.FORMAT,
        webvtt.FORMAT,
        substation.FORMAT,
        spreadsheet.FORMAT,
        structured.FORMAT,
    )
}

__all__ = ["FORMATS", "Document", "Format", "Options"]
