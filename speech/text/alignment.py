"""A corrected text laid over the words that were heard: each word keeps the time that is its own.

What is spelled the same but for case, accents and punctuation is the same word. One that stands for another has its
time; where some words stand for some others, all have the time that those took together. A word that stands for
nothing that was heard has no time: none is guessed.
"""

from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import NamedTuple

from speech.text.tokenize import normalize


class TimedWord(NamedTuple):
    """A word as it is read. One that somebody wrote in, where nothing was heard, has no times."""

    text: str
    start: float | None  # seconds
    end: float | None
    confidence: float | None  # 0 to 1; None where the engine has none, or a person wrote it


def align(heard: Sequence[TimedWord], text: str) -> list[TimedWord]:
    """The words of `text`, which somebody wrote in place of `heard`."""
    written = text.split()
    matcher = SequenceMatcher(None, [_key(word.text) for word in heard], [_key(word) for word in written], False)
    aligned: list[TimedWord] = []
    for kind, i, j, k, m in matcher.get_opcodes():
        if kind == "equal":
            aligned += [word._replace(text=new) for word, new in zip(heard[i:j], written[k:m], strict=True)]
        elif kind == "replace" and j - i == m - k:
            aligned += [
                TimedWord(new, word.start, word.end, None) for word, new in zip(heard[i:j], written[k:m], strict=True)
            ]
        else:
            start, end = span(heard[i:j])
            aligned += [TimedWord(new, start, end, None) for new in written[k:m]]
    return aligned


def span(words: Sequence[TimedWord]) -> tuple[float | None, float | None]:
    """From when to when they were spoken, in seconds, as far as it is known of any."""
    starts = [word.start for word in words if word.start is not None]
    ends = [word.end for word in words if word.end is not None]
    return min(starts, default=None), max(ends, default=None)


def _key(word: str) -> str:
    return normalize(word) or word
