"""SubRip subtitles, which every player reads. The format cannot escape “<” or “{”."""

from collections.abc import Iterator

from speech.library.exports.document import Document, Format, Options
from speech.library.exports.formats.captions import captions
from speech.text.timecode import timestamp


def write(document: Document, options: Options) -> Iterator[bytes]:
    for number, caption in enumerate(captions(document.segments, named=options.speakers), 1):
        start, end = timestamp(caption.start, ","), timestamp(caption.end, ",")
        yield f"{number}\n{start} --> {end}\n{caption.text}\n\n".encode()


FORMAT = Format("srt", "Subtitles", "application/x-subrip; charset=utf-8", write)
