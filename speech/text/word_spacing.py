"""Where spaces are between words: none between those of scripts without spaces, such as Chinese, Japanese and Thai.

`static/js/text/word-spacing.js` has the same rules for pages; `tests/js/text/word-spacing.json` has cases for both.

A word's text ends with a space where one follows it against these rules: Thai has spaces between clauses, and users can
type some.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from itertools import pairwise

from speech.text.scripts import UNSPACED

CLOSING = "、。〉》」』】〕〗〙〛〞〟・！％），．：；？］｝～｠｡｣､･﹐﹑﹒﹔﹕﹖﹗"
OPENING = "〈《「『【〔〖〘〚〝（［｛｟｢"
"""East Asian punctuation. It is as wide as a letter, most of it empty, and has no space on either side."""
NEUTRAL = "“”‘’…—–\u200b\ufe0e\ufe0f"
"""Punctuation that Chinese shares with other scripts: the letters next to it decide."""
SENTENCE_ENDS = "།༎༏༐༑༔၊။។៕"
"""Tibetan, Burmese and Khmer punctuation, which a space follows."""

CHARACTERS_PER_WORD = 2
"""Characters of scripts without spaces that count as a word where a text is shortened."""

_UNSPACED = re.compile(f"[{UNSPACED}{CLOSING}{OPENING}]")
_HANGUL = re.compile("[\u1100-\u11ff\u3131-\u318f\ua960-\ua97f\uac00-\ud7ff]")
_COUNTED = re.compile(rf"([{UNSPACED}{CLOSING}{OPENING}])|[^\s{UNSPACED}{CLOSING}{OPENING}]+")


def gap(before: str, after: str) -> str:
    """What is between two words: a space or nothing."""
    if not before or not after or before[-1].isspace() or after[0].isspace():
        return ""
    if after[0] in CLOSING or before[-1] in OPENING:
        return ""
    left, right = before.rstrip(NEUTRAL)[-1:], after.lstrip(NEUTRAL)[:1]
    left, right = left or right, right or left
    if not left or left in SENTENCE_ENDS or _HANGUL.match(left) or _HANGUL.match(right):
        return " "
    if left in CLOSING or right in OPENING:
        return ""
    return "" if _UNSPACED.match(left) and _UNSPACED.match(right) else " "


def join_words(words: Iterable[str]) -> str:
    """The text that the words make."""
    parts = [word for word in words if word]
    gaps = ["", *(gap(before, after) for before, after in pairwise(parts))]
    return "".join(f"{space}{part}" for space, part in zip(gaps, parts, strict=False)).rstrip()


def split_words(text: str) -> list[str]:
    """The words that spaces separate in a text; `join_words` joins them again."""
    words = text.split()
    spaced = [word if gap(word, after) else f"{word} " for word, after in pairwise(words)]
    return [*spaced, *words[-1:]]


def pieces(word: str) -> Iterator[str]:
    """The smallest parts of a word that can be words of their own, because no space would be between them: characters
    of scripts without spaces, with their marks and punctuation."""
    if not _UNSPACED.search(word):
        yield word
        return
    first = 0
    for index, (before, after) in enumerate(pairwise(word), 1):
        if _separates(before, after):
            yield word[first:index]
            first = index
    yield word[first:]


def _separates(before: str, after: str) -> bool:
    is_unspaced = _UNSPACED.match(before) and _UNSPACED.match(after)
    return bool(is_unspaced) and before not in OPENING + SENTENCE_ENDS and not _continues(after)


def _continues(character: str) -> bool:
    """Whether it never begins a word: closing punctuation, or a mark on the letter before it."""
    return character in CLOSING or unicodedata.category(character) in ("Mn", "Mc", "Me", "Lm")


def first_words(text: str, count: int) -> str:
    """The beginning of a text, of at most `count` words."""
    end, left = 0, count * CHARACTERS_PER_WORD
    for found in _COUNTED.finditer(text):
        left -= 1 if found[1] else CHARACTERS_PER_WORD
        if left < 0:
            break
        end = found.end()
    return text[:end]
