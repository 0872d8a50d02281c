"""Alignment of an edited text with the recognized words, so that words keep their times.

Words that differ only in case, accents or punctuation count as equal. A replacement word takes the old word's times;
several words that replace several others share their time span. Inserted words have no times: none are guessed.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from speech.text.diff import diff
from speech.text.tokenize import normalize

MAX_SHARED = 20
"""Words of a text that share a time span after an edit; where more were replaced, each gets a part of it."""


class TimedWord(NamedTuple):
    """A word of the transcript. A word that an edit inserted has no times."""

    text: str
    start: float | None  # seconds
    end: float | None
    confidence: float | None  # 0 to 1; None if the engine gives none or the word was edited


def align(words: Sequence[TimedWord], text: str) -> list[TimedWord]:
    """Words of `text`, which replaces `words`, with their times. The time that this takes is proportional to their
    number."""
    new_words = text.split()
    aligned: list[TimedWord] = []
    for i, j, k, m, is_equal in diff([_key(word.text) for word in words], [_key(word) for word in new_words]):
        if is_equal:
            aligned += [word._replace(text=new) for word, new in zip(words[i:j], new_words[k:m], strict=True)]
        else:
            aligned += _replacements(words[i:j], new_words[k:m])
    return aligned


def _replacements(words: Sequence[TimedWord], new_words: Sequence[str]) -> Iterator[TimedWord]:
    """The new words with the time span of `words`: all of it for each, or one part each if there are as many words as
    before, or very many."""
    count = len(new_words)
    has_parts = words and (len(words) == count or len(words) > MAX_SHARED or count > MAX_SHARED)
    for index, new in enumerate(new_words):
        first, end = index * len(words) // count, (index + 1) * len(words) // count
        yield TimedWord(new, *span(words[first : max(end, first + 1)] if has_parts else words), None)


def span(words: Sequence[TimedWord]) -> tuple[float | None, float | None]:
    """Time span of the words in seconds, as far as any of them has times."""
    starts = [word.start for word in words if word.start is not None]
    ends = [word.end for word in words if word.end is not None]
    return min(starts, default=None), max(ends, default=None)


def _key(word: str) -> str:
    return normalize(word) or word
