"""WebVTT, the subtitle format of browsers, with words optionally highlighted as they are spoken."""

from collections.abc import Iterator
from html import escape
from itertools import pairwise

from speech.library.exports.document import Document, Format, Options
from speech.library.exports.formats.captions import Caption, captions
from speech.library.exports.formats.srt import WORD_JOINER
from speech.library.exports.formats.timing import Token
from speech.text.timecode import milliseconds, timestamp
from speech.text.word_spacing import gap


def write(document: Document, options: Options) -> Iterator[bytes]:
    yield b"WEBVTT\n"
    for number, caption in enumerate(captions(document.segments), 1):
        text = _with_times(caption) if options.words else _plain(caption.text)
        if options.speakers and caption.speaker:
            text = f"<v {_plain(caption.speaker)}>{text}"
        yield f"\n{number}\n{timestamp(caption.start)} --> {timestamp(caption.end)}\n{text}\n".encode()


def _with_times(caption: Caption) -> str:
    """Put a timestamp before each word after the first; they must increase, and lie within the caption."""
    shown, end = milliseconds(caption.start), milliseconds(caption.end)
    lines: list[str] = []
    for line in caption.lines:
        words = ""
        for before, token in pairwise((Token("", 0, 0), *line)):
            start = milliseconds(token.start)
            words += gap(before.text, token.text)
            if shown < start < end:
                words += f"<{timestamp(token.start)}>"
                shown = start
            words += _plain(token.text)
        lines.append(words)
    return "\n".join(lines)


def _plain(text: str) -> str:
    """The text without markup. Players built on ffmpeg also interpret backslashes."""
    return escape(text, quote=False).replace("\\", f"\\{WORD_JOINER}")


FORMAT = Format("vtt", "Web subtitles", "text/vtt; charset=utf-8", write)
