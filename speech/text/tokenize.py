"""Text as it is compared and searched: without case, accents and punctuation."""

import re
import unicodedata

_MARKS = re.compile(r"[\u0300-\u036f]+")
_TOKEN = re.compile(r"[^\W_]+")


def tokens(text: str) -> list[str]:
    """Its words and parts of words, folded: of “Don’t” they are “don” and “t”."""
    return _TOKEN.findall(_MARKS.sub("", unicodedata.normalize("NFKD", text)).casefold())


def normalize(text: str) -> str:
    return " ".join(tokens(text))
