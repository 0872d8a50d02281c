"""Advanced SubStation Alpha: styled subtitles, with words optionally highlighted as they are spoken.

The format counts hundredths of a second. Players differ in how they escape braces, so these are full-width.
"""

from collections.abc import Iterator
from itertools import pairwise

from pysubs2 import SSAFile

from speech.library.exports.document import Document, Format, Options, one_line
from speech.library.exports.formats.captions import Caption, captions
from speech.library.exports.formats.srt import FULL_WIDTH_BRACES, WORD_JOINER
from speech.library.exports.formats.timing import Token
from speech.text.word_spacing import gap

NEW_LINE = r"\N"


def write(document: Document, options: Options) -> Iterator[bytes]:
    file = SSAFile()
    file.info["Title"] = one_line(document.title)
    yield file.to_string("ass").encode()
    for caption in captions(document.segments, named=options.speakers):
        text = _highlighted(caption) if options.words else NEW_LINE.join(map(_plain, caption.text.split("\n")))
        name = caption.speaker.replace(",", " ")  # a comma would end the field
        times = f"{_time(caption.start)},{_time(caption.end)}"
        yield f"Dialogue: 0,{times},Default,{name},0,0,0,,{text}\n".encode()


def _time(seconds: float) -> str:
    """Time as h:mm:ss.cc, with as many digits of hours as it takes; the package knows only one."""
    whole, hundredth = divmod(round(100 * seconds), 100)
    minutes, second = divmod(whole, 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}.{hundredth:02}"


def _highlighted(caption: Caption) -> str:
    """Each word preceded by the time until the next one, as karaoke tags require."""
    starts = [token.start for line in caption.lines for token in line]
    ends = iter([*starts[1:], caption.end])
    position = caption.start
    lines: list[str] = []
    for line in caption.lines:
        words = ""
        for before, token in pairwise((Token("", 0, 0), *line)):
            end = max(position, min(next(ends), caption.end))
            duration = round(100 * end) - round(100 * position)
            words += gap(before.text, token.text) + rf"{{\kf{duration}}}{_plain(token.text)}"
            position = end
        lines.append(words)
    return NEW_LINE.join(lines)


def _plain(text: str) -> str:
    """The text without override codes."""
    return text.replace("\\", f"\\{WORD_JOINER}").translate(FULL_WIDTH_BRACES)


FORMAT = Format("ass", "Styled subtitles", "text/x-ssa; charset=utf-8", write)
