"""Times of every word of a segment, also of words that an edit left without."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from speech.library.exports.document import Segment, Word, one_line


@dataclass(frozen=True)
class Token:
    """A word, or a part of one. Times in seconds."""

    text: str
    start: float
    end: float


def timed_tokens(segment: Segment) -> Iterator[Token]:
    """Words in order, except empty ones. Words with one time span divide it evenly; inserted words take no time."""
    position = max(0.0, segment.start)
    for (start, end), words in groupby(segment.words, lambda word: (word.start, word.end)):
        first = max(position, start or position)
        position = max(first, end or first)
        yield from spread([text for text in map(_text_of, words) if text], first, position)


def _text_of(word: Word) -> str:
    """Its text, with the space that may end it (`speech/text/word_spacing.py`)."""
    text = one_line(word.text)
    return f"{text} " if text and word.text[-1].isspace() else text


def spread(texts: Sequence[str], start: float, end: float) -> Iterator[Token]:
    duration = (end - start) / max(1, len(texts))
    for number, text in enumerate(texts):
        yield Token(text, start + number * duration, start + (number + 1) * duration)
