"""Export formats of transcripts, by file extension."""

from speech.library.exports.document import Document, Format, Options
from speech.library.exports.formats import ass, csv_export, docx, json_export, markdown, plain_text, srt, webvtt

FORMATS: dict[str, Format] = {
    format.extension: format
    for format in (
        plain_text.FORMAT,
        markdown.FORMAT,
        docx.FORMAT,
        srt.FORMAT,
        webvtt.FORMAT,
        ass.FORMAT,
        csv_export.FORMAT,
        json_export.FORMAT,
    )
}

__all__ = ["FORMATS", "Document", "Format", "Options"]
