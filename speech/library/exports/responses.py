"""Exports over HTTP, in chunks: each is created when the previous one is sent.

The first one is created before the response begins, so that an export that can't be written is an error page: once a
response has begun, only a broken connection can tell its client that it is incomplete. Most exports have one chunk.
"""

import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator

from django.http import StreamingHttpResponse
from django.utils.http import content_disposition_header

from accounts.models import User
from speech.gateway.database import in_database
from speech.library.exports.archive import File, zip_stream
from speech.library.exports.document import Document, Format, Options
from speech.library.one_at_a_time import ExclusiveResponse, OneAtATime
from speech.models import Session

CHUNK = 64 * 1024  # bytes
YIELD_AFTER = 0.02
"""Seconds after which other work gets the database thread."""
_archives = OneAtATime()


def download(session: Session, format: Format, options: Options) -> StreamingHttpResponse:
    chunks = format.write(Document.of(session), options)
    return attachment(chunks, format.content_type, f"{session.file_name}.{format.extension}")


def download_many(
    owner: User, sessions: Iterable[Session], format: Format, options: Options, name: str
) -> StreamingHttpResponse:
    """A ZIP with a file for each session. Raises `Busy`."""
    files = ((session.file_name, format.extension, format.write(Document.of(session), options)) for session in sessions)
    return download_archive(owner, files, name)


def download_archive(owner: User, files: Iterable[File], name: str) -> StreamingHttpResponse:
    """A ZIP of `files`, of which an account downloads one at a time. Raises `Busy`."""
    return attachment(zip_stream(files), "application/zip", f"{name}.zip", _archives.begin(owner.pk))


def attachment(
    chunks: Iterator[bytes], content_type: str, name: str, end: Callable[[], None] = lambda: None
) -> StreamingHttpResponse:
    """`end` is called once it is sent."""
    try:
        first = _next_part(chunks)
    except BaseException:
        end()
        raise
    headers = {"Content-Disposition": content_disposition_header(True, name) or ""}
    return ExclusiveResponse(_streamed(first or b"", chunks, end), end, content_type=content_type, headers=headers)


async def _streamed(first: bytes, chunks: Iterator[bytes], end: Callable[[], None]) -> AsyncIterator[bytes]:
    try:
        if first:
            yield first
        while (part := await in_database(_next_part, chunks)) is not None:
            if part:
                yield part
    finally:
        end()  # Django closes no response that raises


def _next_part(chunks: Iterator[bytes]) -> bytes | None:
    """The chunks created in one turn, joined; None at the end."""
    started = time.monotonic()
    part = bytearray()
    for chunk in chunks:
        part += chunk
        if len(part) >= CHUNK or time.monotonic() - started > YIELD_AFTER:
            return bytes(part)
    return bytes(part) or None
