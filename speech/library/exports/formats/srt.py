"""SubRip subtitles, which every player reads.

The format has no markup and no escapes, but players and editors interpret some texts: tags as in HTML, tags and breaks
as in .ass, and what looks like the times or the number of a subtitle. Invisible characters and full-width braces keep
them from it; readers see the same text.
"""

import re
from collections.abc import Iterator

from speech.library.exports.document import Document, Format, Options
from speech.library.exports.formats.captions import captions
from speech.text.timecode import timestamp

WORD_JOINER = "\u2060"
"""An invisible character, at which no line breaks."""
FULL_WIDTH_BRACES = str.maketrans("{}", "｛｝")
"""Players hide what is between braces, whatever it is."""

_INTERPRETED = re.compile(r"[<\\]|--(?=>)|\d:\d{1,2}:(?=\d{1,2}[.,:]\d)|^(?=\d+$)", re.MULTILINE)


def write(document: Document, options: Options) -> Iterator[bytes]:
    for number, caption in enumerate(captions(document.segments, named=options.speakers), 1):
        start, end = timestamp(caption.start, ","), timestamp(caption.end, ",")
        yield f"{number}\n{start} --> {end}\n{plain(caption.text)}\n\n".encode()


def plain(text: str) -> str:
    """The text, with nothing that a player could interpret."""
    return _INTERPRETED.sub(rf"\g<0>{WORD_JOINER}", text.translate(FULL_WIDTH_BRACES))


FORMAT = Format("srt", "Subtitles", "application/x-subrip; charset=utf-8", write)
