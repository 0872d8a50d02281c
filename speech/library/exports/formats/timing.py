"""Times of every word of a segment, also of words that an edit left without."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from speech.library.exports.document import Segment


@dataclass(frozen=True)
class Token:
    """A word, or a part of one. Times in seconds."""

    text: str
    start: float
    end: float


def timed_tokens(segment: Segment) -> Iterator[Token]:
    """Words in order. Words with one time span divide it evenly; inserted words take no time."""
    position = segment.start
    for (start, end), words in groupby(segment.words, lambda word: (word.start, word.end)):
        first = max(position, start or position)
        position = max(first, end or first)
        yield from spread([" ".join(word.text.split()) for word in words], first, position)


def spread(texts: Sequence[str], start: float, end: float) -> Iterator[Token]:
    duration = (end - start) / len(texts)
    for number, text in enumerate(texts):
        yield Token(text, start + number * duration, start + (number + 1) * duration)
