"""WebVTT, the subtitle format of browsers, with words optionally highlighted as they are spoken."""

from collections.abc import Iterator
from html import escape

from speech.library.exports.document import Document, Format, Options
from speech.library.exports.formats.captions import Caption, captions
from speech.text.timecode import milliseconds, timestamp


def write(document: Document, options: Options) -> Iterator[bytes]:
    yield b"WEBVTT\n"
    for number, caption in enumerate(captions(document.segments), 1):
        text = _with_times(caption) if options.words else _plain(caption.text)
        if options.speakers and caption.speaker:
            text = f"<v {_plain(' '.join(caption.speaker.split()))}>{text}"
        yield f"\n{number}\n{timestamp(caption.start)} --> {timestamp(caption.end)}\n{text}\n".encode()


def _with_times(caption: Caption) -> str:
    """Put a timestamp before each word after the first; they must increase, and lie within the caption."""
    shown, end = milliseconds(caption.start), milliseconds(caption.end)
    lines: list[str] = []
    for line in caption.lines:
        words: list[str] = []
        for token in line:
            start, text = milliseconds(token.start), _plain(token.text)
            if shown < start < end:
                text = f"<{timestamp(token.start)}>{text}"
                shown = start
            words.append(text)
        lines.append(" ".join(words))
    return "\n".join(lines)


def _plain(text: str) -> str:
    return escape(text, quote=False)


FORMAT = Format("vtt", "Web subtitles", "text/vtt; charset=utf-8", write)
