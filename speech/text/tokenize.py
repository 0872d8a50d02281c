"""Normalization of text for comparison and search: case, accents and punctuation are removed."""

import re
import unicodedata

NORMALIZED_AT_ONCE = 200
"""Characters. Sorting the accents on one letter takes time proportional to the square of their number."""

_MARKS = re.compile(r"[\u0300-\u036f]+")
_TOKEN = re.compile(r"[^\W_]+")


def tokens(text: str) -> list[str]:
    """Normalized words and parts of words: “don” and “t” for “Don’t”."""
    return _TOKEN.findall(text.lower() if text.isascii() else _without_accents(text).casefold())


def normalize(text: str) -> str:
    return " ".join(tokens(text))


def _without_accents(text: str) -> str:
    parts = (text[first : first + NORMALIZED_AT_ONCE] for first in range(0, len(text), NORMALIZED_AT_ONCE))
    return _MARKS.sub("", "".join(unicodedata.normalize("NFKD", part) for part in parts))
