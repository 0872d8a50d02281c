"""Exports as HTTP sends them: in pieces, each made when the last one is gone."""

import time
from collections.abc import AsyncIterator, Iterable, Iterator

from django.http import StreamingHttpResponse
from django.utils.http import content_disposition_header

from speech.gateway.database import in_database
from speech.library.exports.archive import zip_stream
from speech.library.exports.document import Document, Format, Options
from speech.models import Session

CHUNK = 64 * 1024  # bytes
YIELD_AFTER = 0.02
"""Seconds; then others have their turn in the database's thread."""


def download(session: Session, format: Format, options: Options) -> StreamingHttpResponse:
    chunks = format.write(Document.of(session), options)
    return attachment(chunks, format.content_type, f"{session.file_name}.{format.extension}")


def download_many(sessions: Iterable[Session], format: Format, options: Options, name: str) -> StreamingHttpResponse:
    """As a zip with a file for each."""
    files = ((session.file_name, format.extension, format.write(Document.of(session), options)) for session in sessions)
    return attachment(zip_stream(files), "application/zip", f"{name}.zip")


def attachment(chunks: Iterator[bytes], content_type: str, name: str) -> StreamingHttpResponse:
    headers = {"Content-Disposition": content_disposition_header(True, name) or "", "Cache-Control": "no-store"}
    return StreamingHttpResponse(_streamed(chunks), content_type=content_type, headers=headers)


async def _streamed(chunks: Iterator[bytes]) -> AsyncIterator[bytes]:
    while (piece := await in_database(_next_piece, chunks)) is not None:
        if piece:
            yield piece


def _next_piece(chunks: Iterator[bytes]) -> bytes | None:
    """As much as comes in one turn; None: that was all."""
    began = time.monotonic()
    piece = bytearray()
    for chunk in chunks:
        piece += chunk
        if len(piece) >= CHUNK or time.monotonic() - began > YIELD_AFTER:
            return bytes(piece)
    return bytes(piece) or None
