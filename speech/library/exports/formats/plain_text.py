"""An utterance a line."""

from collections.abc import Iterator

from speech.library.exports.document import Document, Format, Options
from speech.text.timecode import clock


def write(document: Document, options: Options) -> Iterator[bytes]:
    yield f"{document.title}\n\n".encode()
    for utterance in document.segments:
        time = f"[{clock(utterance.start)}] " if options.times else ""
        speaker = f"{utterance.speaker}: " if options.speakers and utterance.speaker else ""
        yield f"{time}{speaker}{utterance.text}\n".encode()


FORMAT = Format("txt", "Plain text", "text/plain; charset=utf-8", write)
