"""Normalization of text for comparison and search: case, accents and punctuation are removed."""

import re
import unicodedata

_MARKS = re.compile(r"[\u0300-\u036f]+")
_TOKEN = re.compile(r"[^\W_]+")


def tokens(text: str) -> list[str]:
    """Normalized words and parts of words: “don” and “t” for “Don’t”."""
    return _TOKEN.findall(_MARKS.sub("", unicodedata.normalize("NFKD", text)).casefold())


def normalize(text: str) -> str:
    return " ".join(tokens(text))
