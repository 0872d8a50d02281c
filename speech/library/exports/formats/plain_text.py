"""Plain text, one segment per line."""

from collections.abc import Iterator

from speech.library.exports.document import Document, Format, Options
from speech.text.timecode import clock


def write(document: Document, options: Options) -> Iterator[bytes]:
    yield f"{document.title}\n\n".encode()
    for segment in document.segments:
        time = f"[{clock(segment.start)}] " if options.times else ""
        speaker = f"{segment.speaker}: " if options.speakers and segment.speaker else ""
        yield f"{time}{speaker}{segment.text}\n".encode()


FORMAT = Format("txt", "Plain text", "text/plain; charset=utf-8", write)
