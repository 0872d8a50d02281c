"""Plain text, one segment per line."""

from collections.abc import Iterator

from speech.library.exports.document import Document, Format, Options, one_line
from speech.text.timecode import clock


def write(document: Document, options: Options) -> Iterator[bytes]:
    yield f"{one_line(document.title)}\n\n".encode()
    for segment in document.segments:
        time = f"[{clock(segment.start)}] " if options.times else ""
        speaker = one_line(segment.speaker) if options.speakers else ""
        lead = f"{time}{speaker}: " if speaker else time
        yield f"{lead}{one_line(segment.text)}\n".encode()


FORMAT = Format("txt", "Plain text", "text/plain; charset=utf-8", write)
