"""Find and replace in transcripts.

Texts match if they are the same text in Unicode, however it is encoded: composed or not, in full width or not. Accents
matter. `static/js/pages/session/find.js` finds the same matches; `tests/js/text/find.json` has cases for both.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from speech.text.folding import CharacterMap, decomposed, without_case
from speech.text.scripts import is_unspaced

MAX_LENGTH = 200  # characters of either text

_EXACT = CharacterMap(decomposed)
_ANY_CASE = CharacterMap(lambda character: decomposed(without_case(decomposed(character))))
_ACCENT = re.compile("[\u0300-\u036f\u3099\u309a]")
"""Marks that a letter contains: “e” is not a part of “é”."""


@dataclass(frozen=True)
class Replacement:
    """A text to find within segments, across words, and its replacement. Raises `ValueError` if the text to find is
    empty, or either text is too long."""

    find: str
    replace_with: str
    matches_case: bool = False
    matches_partial_words: bool = False

    def __post_init__(self) -> None:
        if not self.find:
            raise ValueError("Enter text to find.")
        if max(len(self.find), len(self.replace_with)) > MAX_LENGTH:
            raise ValueError(f"Find and replace are limited to {MAX_LENGTH} characters.")

    def apply(self, text: str) -> tuple[str, int]:
        """The new text and the number of replacements."""
        parts, last, count = [], 0, 0
        for start, end in self.matches(text):
            parts += [text[last:start], self.replace_with]
            last, count = end, count + 1
        return "".join([*parts, text[last:]]), count

    def matches(self, text: str) -> Iterator[tuple[int, int]]:
        """Start and end of each match."""
        characters = _EXACT if self.matches_case else _ANY_CASE
        sought = characters.apply(self.find)
        folded, origins = characters.apply_with_origins(text)
        origins.append(len(text))
        end = 0
        while (start := folded.find(sought, end)) >= 0:
            end = start + len(sought)
            if self._is_match(folded, origins, start, end):
                yield origins[start], origins[end]
            else:
                end = start + 1

    def _is_match(self, folded: str, origins: list[int], start: int, end: int) -> bool:
        """Whether it begins and ends with whole characters of the original text and, if required, whole words."""
        if (start and origins[start - 1] == origins[start]) or origins[end - 1] == origins[end]:
            return False
        if _ACCENT.match(folded, end):
            return False
        return self.matches_partial_words or not (_is_inside_word(folded, start) or _is_inside_word(folded, end))


def _is_inside_word(text: str, index: int) -> bool:
    """Whether a word continues at `index`. Between characters of a script without spaces, a new one can begin."""
    if not 0 < index < len(text):
        return False
    before, after = text[index - 1], text[index]
    if not (_is_of_word(before) and _is_of_word(after)):
        return False
    return _is_mark(after) or not (is_unspaced(before) or is_unspaced(after))


def _is_of_word(character: str) -> bool:
    return character == "_" or unicodedata.category(character)[0] in "LNM"


def _is_mark(character: str) -> bool:
    return unicodedata.category(character)[0] == "M"
