"""Words as servers of Whisper send them."""

from collections.abc import Sequence

from speech.events import Word
from speech.text.word_spacing import gap


def spaced_texts(words: Sequence[Word]) -> list[str]:
    """Their texts, each with the space before it. The first one always has one."""
    texts: list[str] = []
    before = ""
    for word in words:
        texts.append(f"{gap(before, word.text) if texts else ' '}{word.text}")
        before = word.text
    return texts


def probability(word: Word) -> float:
    """A word without a confidence counts as certain."""
    return 1.0 if word.confidence is None else round(word.confidence, 4)
