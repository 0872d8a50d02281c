"""Alignment of an edited text with the recognized words, so that words keep their times.

Words that differ only in case, accents or punctuation count as equal. A replacement word takes the old word's times;
several words that replace several others share their time span. Inserted words have no times: none are guessed.

Words of scripts without spaces are aligned by their characters, and the text is cut where the words were.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from speech.text.diff import diff
from speech.text.folding import normalize
from speech.text.scripts import is_unspaced
from speech.text.word_spacing import pieces, split_words

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
    old = [piece for number, word in enumerate(words) for piece in _old_pieces(number, word)]
    aligned: list[TimedWord] = []
    tokens = split_words(text)
    new = [(number, piece) for number, token in enumerate(tokens) for piece in pieces(token)]
    placed = _placed(old, [piece for _, piece in new])
    for _, group in groupby(zip(new, placed, strict=True), lambda pair: pair[0][0]):
        aligned += _whole_words([piece for _, piece in group], words)
    return aligned


class _Piece(NamedTuple):
    """The smallest part of a text that can be a word, and the word that it was in; None if an edit inserted it."""

    word: TimedWord
    origin: int | None
    is_unchanged: bool


def _old_pieces(number: int, word: TimedWord) -> list[_Piece]:
    texts = [*pieces(word.text.rstrip())]
    if len(texts) == 1:
        return [_Piece(word, number, True)]
    return [
        _Piece(TimedWord(text, *_share(word, index, len(texts)), word.confidence), number, True)
        for index, text in enumerate(texts)
    ]


def _share(word: TimedWord, index: int, count: int) -> tuple[float | None, float | None]:
    """The time of one of `count` equal parts of a word."""
    if word.start is None or word.end is None:
        return None, None
    length = (word.end - word.start) / count
    return round(word.start + index * length, 3), round(word.start + (index + 1) * length, 3)


def _placed(old: Sequence[_Piece], new: Sequence[str]) -> list[_Piece]:
    """The pieces of the new text with the times of the old ones."""
    placed: list[_Piece] = []
    for i, j, k, m, is_equal in diff([_key(piece.word.text) for piece in old], [_key(text) for text in new]):
        if is_equal:
            equal = zip(old[i:j], new[k:m], strict=True)
            placed += [piece._replace(word=piece.word._replace(text=text)) for piece, text in equal]
        else:
            placed += _replacements(old[i:j], new[k:m])
    return placed


def _replacements(old: Sequence[_Piece], new: Sequence[str]) -> Iterator[_Piece]:
    """The new pieces with the time span of the old ones: all of it for each, or one part each if there are as many as
    before, or very many, or if they are characters of a script without spaces."""
    count = len(new)
    has_parts = len(old) == count or max(len(old), count) > MAX_SHARED or any(is_unspaced(text[0]) for text in new)
    for index, text in enumerate(new):
        first, end = index * len(old) // count, (index + 1) * len(old) // count
        source = old[first : max(end, first + 1)] if has_parts else old
        times = span([piece.word for piece in source])
        yield _Piece(TimedWord(text, *times, None), source[0].origin if source else None, False)


def _whole_words(token: Sequence[_Piece], words: Sequence[TimedWord]) -> Iterator[TimedWord]:
    """Words from the pieces between two spaces. Those that were in one word before stay in one, with what was inserted
    between them."""
    first = 0
    following = [*_following_origins(token)]
    for index in range(1, len(token)):
        origin = token[first].origin
        if token[index].origin != origin and (token[index].origin is not None or following[index] != origin):
            yield _whole_word(token[first:index], words)
            first = index
    yield _whole_word(token[first:], words)


def _following_origins(token: Sequence[_Piece]) -> list[int | None]:
    """For each piece its origin or, if it was inserted, that of the next one that was not."""
    origins: list[int | None] = []
    following: int | None = None
    for piece in reversed(token):
        following = following if piece.origin is None else piece.origin
        origins.append(following)
    return origins[::-1]


def _whole_word(group: Sequence[_Piece], words: Sequence[TimedWord]) -> TimedWord:
    text = "".join(piece.word.text for piece in group)
    origin = group[0].origin
    if origin is None or not all(piece.is_unchanged for piece in group):
        return TimedWord(text, *span([piece.word for piece in group]), None)
    before = words[origin]
    if _key(text) == _key(before.text):
        return before._replace(text=text)
    return TimedWord(text, *span([piece.word for piece in group]), before.confidence)


def span(words: Sequence[TimedWord]) -> tuple[float | None, float | None]:
    """Time span of the words in seconds, as far as any of them has times."""
    starts = [word.start for word in words if word.start is not None]
    ends = [word.end for word in words if word.end is not None]
    return min(starts, default=None), max(ends, default=None)


def _key(word: str) -> str:
    return normalize(word) or word.strip()
