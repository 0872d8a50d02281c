"""Words and their texts in Deepgram's form."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from speech.events import Word
from speech.text.word_spacing import join_words

PUNCTUATION = '.,;:!?…"“”()¿¡。，、；：！？'
PROFANITY = re.compile(
    r"(?:mother)?fuck\w*|(?:bull|horse)?shit\w*|bitch\w*|cunts?|asshole\w*|bastards?|dickhead\w*|wank(?:er|ing)\w*",
    re.I,
)


@dataclass(frozen=True)
class Formatting:
    has_punctuation: bool = True
    """False: words without punctuation, in lower case."""
    masks_profanity: bool = False
    """English words only."""

    def text_of(self, text: str) -> str:
        """The text as it is in a transcript."""
        text = text.rstrip()
        if not self.has_punctuation:
            text = bare(text)
        if self.masks_profanity:
            text = PROFANITY.sub(lambda word: word[0][0] + "*" * (len(word[0]) - 1), text)
        return text

    def join(self, texts: Sequence[str]) -> str:
        """A word that ends with a space keeps it: some scripts separate only some words."""
        formatted = ((self.text_of(text), text[len(text.rstrip()) :]) for text in texts)
        return join_words(text + space for text, space in formatted if text)


def bare(text: str) -> str:
    """The word without punctuation, in lower case; nothing but punctuation remains as it is."""
    return " ".join(word.strip(PUNCTUATION).lower() or word for word in text.split())


def alternative(words: Sequence[Word], formatting: Formatting, partial: str = "") -> dict[str, Any]:
    """`partial` follows the words, and may still change."""
    return {
        "transcript": formatting.join([*(word.text for word in words), partial]),
        "confidence": mean_confidence(words),
        "words": [_word(word, formatting) for word in words],
    }


def mean_confidence(words: Sequence[Word]) -> float:
    """0 without words."""
    return round(sum(map(confidence, words)) / len(words), 4) if words else 0.0


def confidence(word: Word) -> float:
    """A word without a confidence counts as certain."""
    return 1.0 if word.confidence is None else round(word.confidence, 4)


def _word(word: Word, formatting: Formatting) -> dict[str, Any]:
    """Deepgram has both the bare word and, with punctuation, its form in the text."""
    text = formatting.text_of(word.text)
    return {
        "word": bare(text),
        "start": round(word.start, 3),
        "end": round(word.end, 3),
        "confidence": confidence(word),
        **({"punctuated_word": text} if formatting.has_punctuation else {}),
    }
