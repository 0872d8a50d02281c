"""Alignment of an edited text with the recognized words, so that words keep their times.

Words that differ only in case, accents or punctuation count as equal. A replacement word takes the old word's times;
several words that replace several others share their time span. Inserted words have no times: none are guessed.
"""

from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import NamedTuple

from speech.text.tokenize import normalize


class TimedWord(NamedTuple):
    """A word of the transcript. A word that an edit inserted has no times."""

    text: str
    start: float | None  # seconds
    end: float | None
    confidence: float | None  # 0 to 1; None if the engine gives none or the word was edited


def align(words: Sequence[TimedWord], text: str) -> list[TimedWord]:
    """Words of `text`, which replaces `words`, with their times."""
    new_words = text.split()
    matcher = SequenceMatcher(None, [_key(word.text) for word in words], [_key(word) for word in new_words], False)
    aligned: list[TimedWord] = []
    for kind, i, j, k, m in matcher.get_opcodes():
        if kind == "equal":
            aligned += [word._replace(text=new) for word, new in zip(words[i:j], new_words[k:m], strict=True)]
        elif kind == "replace" and j - i == m - k:
            aligned += [
                TimedWord(new, word.start, word.end, None) for word, new in zip(words[i:j], new_words[k:m], strict=True)
            ]
        else:
            start, end = span(words[i:j])
            aligned += [TimedWord(new, start, end, None) for new in new_words[k:m]]
    return aligned


def span(words: Sequence[TimedWord]) -> tuple[float | None, float | None]:
    """Time span of the words in seconds, as far as any of them has times."""
    starts = [word.start for word in words if word.start is not None]
    ends = [word.end for word in words if word.end is not None]
    return min(starts, default=None), max(ends, default=None)


def _key(word: str) -> str:
    return normalize(word) or word
