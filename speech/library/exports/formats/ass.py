"""Advanced SubStation Alpha: styled subtitles, with words optionally highlighted as they are spoken.

The format counts hundredths of a second.
"""

from collections.abc import Iterator

from pysubs2 import SSAEvent, SSAFile

from speech.library.exports.document import Document, Format, Options
from speech.library.exports.formats.captions import Caption, captions
from speech.text.timecode import milliseconds

WORD_JOINER = "\u2060"
NEW_LINE = r"\N"


def write(document: Document, options: Options) -> Iterator[bytes]:
    file = SSAFile()
    file.info["Title"] = " ".join(document.title.split())
    for caption in captions(document.segments, named=options.speakers):
        text = _highlighted(caption) if options.words else NEW_LINE.join(map(_plain, caption.text.split("\n")))
        event = SSAEvent(milliseconds(caption.start), milliseconds(caption.end), text)
        event.name = caption.speaker.replace(",", " ")  # a comma would end the field
        file.append(event)
        yield b""
    yield file.to_string("ass").encode()


def _highlighted(caption: Caption) -> str:
    """Each word preceded by the time until the next one, as karaoke tags require."""
    starts = [token.start for line in caption.lines for token in line]
    ends = iter([*starts[1:], caption.end])
    position = caption.start
    lines: list[str] = []
    for line in caption.lines:
        words: list[str] = []
        for token in line:
            end = max(position, min(next(ends), caption.end))
            words.append(rf"{{\kf{round(100 * end) - round(100 * position)}}}{_plain(token.text)}")
            position = end
        lines.append(" ".join(words))
    return NEW_LINE.join(lines)


def _plain(text: str) -> str:
    """Escape ASS override codes."""
    return text.replace("\\", f"\\{WORD_JOINER}").replace("{", r"\{").replace("}", r"\}")


FORMAT = Format("ass", "Styled subtitles", "text/x-ssa; charset=utf-8", write)
