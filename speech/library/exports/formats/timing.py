"""When each word of an utterance was said, also where a correction left it open."""

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


def timed(utterance: Segment) -> Iterator[Token]:
    """In order. Words that took a time together share it evenly; one that was written in takes none."""
    at = utterance.start
    for (start, end), words in groupby(utterance.words, lambda word: (word.start, word.end)):
        begin = max(at, start or at)
        at = max(begin, end or begin)
        yield from spread([" ".join(word.text.split()) for word in words], begin, at)


def spread(texts: Sequence[str], start: float, end: float) -> Iterator[Token]:
    length = (end - start) / len(texts)
    for number, text in enumerate(texts):
        yield Token(text, start + number * length, start + (number + 1) * length)
