"""Folding of text, so that a word is found however it is written: case, accents, vowel points, width and punctuation
don't matter, and the digits of all scripts are the same.

The search, its index on either database, and the marks on its results use the same tokens. A token is a word, or one
character of a script without spaces, so that a text in such a script is found anywhere in another one.
"""

import re
import unicodedata
from collections.abc import Callable
from itertools import groupby

from speech.text.scripts import UNSPACED

MAX_TOKEN = 100
"""Characters. Longer words are equal if they begin with the same ones."""
MAX_REMEMBERED = 20_000
"""Characters whose folding is kept: more than the letters of all languages in use, less than all characters."""

_ACCENTS_OF = ("COMBINING ", "HEBREW ", "ARABIC ", "SYRIAC ")
"""Beginnings of the Unicode names of marks that a word can be written without. In other scripts, as in those of India,
marks are vowels, and belong to the word."""
_VOICING = "\u3099\u309a"
"""They distinguish ga from ka in Japanese, and their names begin with “combining” too."""
_TATWEEL = "\u0640"
_ZERO_WIDTH_SPACE = "\u200b"
_APOSTROPHES = "\u02b9\u02ba\u02bb\u02bc\u02bd\u02be\u02bf"
"""Letters by their category, and typed as apostrophes, which separate words here."""
_PHRASES = "\ufdfa\ufdfb"
"""Each is equivalent to a phrase of 8 or 18 characters; it would be found by these words, and a text of it alone would
take that many times longer."""

_ASCII_TOKEN = re.compile("[a-z0-9]+")
_TOKEN = re.compile(f"[{UNSPACED}][{_VOICING}]?|[^ {UNSPACED}]+")
_MARKS = re.compile(r"[^\w\s]{2,}")
"""Marks in a row, in a text that has no punctuation any more."""


class CharacterMap(dict[int, str]):
    """What each character becomes, by its code point: a table for `str.translate`."""

    def __init__(self, fold_character: Callable[[str], str]) -> None:
        self._fold_character = fold_character

    def __missing__(self, code: int) -> str:
        folded = self._fold_character(chr(code))
        if len(self) < MAX_REMEMBERED:
            self[code] = folded
        return folded

    def apply(self, text: str) -> str:
        return in_canonical_order(text.translate(self))

    def apply_with_origins(self, text: str) -> tuple[str, list[int]]:
        """The folded text, and for each of its characters the index in `text` of the one that it is from."""
        parts = [self[ord(character)] for character in text]
        origins = [index for index, part in enumerate(parts) for _ in part]
        return in_canonical_order("".join(parts)), origins


def tokens(text: str) -> list[str]:
    """Folded words and parts of words: “don” and “t” for “Don’t”."""
    found = _ASCII_TOKEN.findall(text.lower()) if text.isascii() else _TOKEN.findall(_FOLDED.apply(text))
    return [token[:MAX_TOKEN] for token in found]


def tokens_in(text: str) -> list[tuple[str, int, int]]:
    """The same tokens with their start and end in the text. A mark that is folded away belongs to the word before."""
    if text.isascii():
        return [(found[0][:MAX_TOKEN], *found.span()) for found in _ASCII_TOKEN.finditer(text.lower())]
    folded, origins = _FOLDED.apply_with_origins(text)
    origins.append(len(text))
    return [
        (found[0][:MAX_TOKEN], origins[found.start()], max(origins[end := found.end()], origins[end - 1] + 1))
        for found in _TOKEN.finditer(folded)
    ]


def normalize(text: str) -> str:
    return " ".join(tokens(text))


def without_case(text: str) -> str:
    """Letters in lower case. Dotless i becomes i, which is its upper case's lower case too. JavaScript has the same
    functions, and no `casefold`."""
    return text.lower().upper().lower()


def decomposed(text: str) -> str:
    return unicodedata.normalize("NFKD", text)


def in_canonical_order(text: str) -> str:
    """The same text whichever order its marks were typed in. `unicodedata` takes time proportional to the square of the
    number of marks on one letter."""
    return _MARKS.sub(lambda found: _sorted_marks(found[0]), text)


def _sorted_marks(marks: str) -> str:
    runs = groupby(marks, lambda mark: unicodedata.combining(mark) > 0)
    return "".join("".join(sorted(run, key=unicodedata.combining) if is_movable else run) for is_movable, run in runs)


def _fold_character(character: str) -> str:
    if character in _PHRASES:
        return character
    parts = decomposed(without_case(decomposed(character)))
    folded = "".join(map(_fold_part, parts))
    is_symbol = unicodedata.category(character) in ("So", "No") and len(parts) > 1
    return f" {folded} " if is_symbol else folded  # “5㎏” is two words, and “Nike™” too


def _fold_part(character: str) -> str:
    """A character that has no decomposition."""
    category = unicodedata.category(character)
    if character == _ZERO_WIDTH_SPACE or character in _APOSTROPHES:
        return " "
    if category == "Cf" or character == _TATWEEL or _is_accent(character, category):
        return ""
    if category == "Nd":
        return str(unicodedata.decimal(character))
    return " " if category[0] in "ZPS" or category in ("Cc", "Cs") else character


def _is_accent(character: str, category: str) -> bool:
    if category not in ("Mn", "Me") or character in _VOICING:
        return False
    name = unicodedata.name(character, "")
    return name.startswith(_ACCENTS_OF) or "VARIATION SELECTOR" in name


_FOLDED = CharacterMap(_fold_character)
