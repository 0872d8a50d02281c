"""Streaming text normalization: from written text to words as they are spoken.

Numbers, dates, times, money, units, abbreviations, symbols and addresses are written out for English and French; for
other languages this is left to the engine. `<break time="1s"/>` and similar tags become pauses. Nothing is lost: every
word has its span in the text, and text that cannot be spoken is listed in `skipped`.
"""

import logging
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from inference.messages import parse_pause
from speech.synthesis.text_normalization import LANGUAGES
from speech.synthesis.text_normalization.rules import open_end_pattern, token_pattern
from speech.synthesis.text_normalization.verbalizer import LOOKBEHIND, Verbalizer

logger = logging.getLogger(__name__)

MAX_WORD = 60
"""Characters; longer words are spoken in parts."""
MAX_PAUSE = 10.0  # seconds
PARAGRAPH_PAUSE = 0.5  # seconds


@dataclass(frozen=True)
class NormalizedWord:
    text: str
    """One word for the engine, or a pause."""
    first: int
    end: int
    """Span in the original text, in characters."""

    @property
    def is_pause(self) -> bool:
        return parse_pause(self.text) is not None


@dataclass(frozen=True)
class SkippedText:
    text: str
    first: int


class TextNormalizer:
    """Normalizes the text of one job as it arrives."""

    def __init__(self, language: str) -> None:
        """`language`: BCP 47 tag."""
        self._rules = LANGUAGES.get(language.partition("-")[0].lower())
        self._pattern = token_pattern(self._rules)
        self._open_end = open_end_pattern(self._rules)
        self._before = ""  # the end of the processed text, for look-behind
        self._waiting = ""
        self._position = 0  # of `_waiting` in the whole text
        self._is_in_heading = False
        self.skipped: list[SkippedText] = []

    def feed(self, text: str) -> list[NormalizedWord]:
        """Words of the text that is complete so far; the last ones may depend on the text that follows."""
        self._waiting += text
        return self._normalize(self._complete_length())

    def finish(self) -> list[NormalizedWord]:
        """Words of the remaining text. More text may follow."""
        return self._normalize(len(self._waiting))

    def _complete_length(self) -> int:
        """Characters whose reading does not depend on the text that follows."""
        text = self._waiting
        end = len(text.rstrip() if text[-1:].isspace() else text.removesuffix(_last_word(text)).rstrip())
        if len(self._waiting) > 4 * MAX_WORD * MAX_WORD:
            return len(self._waiting)
        open_end = self._open_end.search(self._waiting[max(0, end - 200) : end])
        return max(0, end - 200) + open_end.start() if open_end else end

    def _normalize(self, length: int) -> list[NormalizedWord]:
        text, self._waiting = self._before + self._waiting[:length], self._waiting[length:]
        start = self._position - len(self._before)
        words: list[NormalizedWord] = []
        for match in self._pattern.finditer(text, len(self._before)):
            first, end = start + match.start(), start + match.end()
            texts = self._read(match)
            if texts:
                words += (NormalizedWord(part, first, end) for spoken in texts for part in _parts(spoken))
            elif match.lastgroup == "word":
                self._handle_unspeakable(match[0], first, words)
        self._position += length
        self._before = text[-LOOKBEHIND:]
        return words

    def _handle_unspeakable(self, text: str, first: int, words: list[NormalizedWord]) -> None:
        if not all(unicodedata.category(character)[0] in "PZ" or character in "*_~`|^" for character in text):
            self.skipped.append(SkippedText(text, first))
        elif words and not words[-1].is_pause and words[-1].text[-1].isalnum():
            last = words[-1]
            mark = "," if text[0] in "—–-" else next((c for c in text if c in ".,;:!?…"), "")  # a dash is a short pause
            words[-1] = NormalizedWord(f"{last.text}{mark}", last.first, last.end)

    def _read(self, match: re.Match[str]) -> list[str]:
        kind = match.lastgroup or ""
        if kind == "break":
            return [_pause(match[0])]
        if kind in ("paragraph", "line_end"):
            is_pause, self._is_in_heading = kind == "paragraph" or self._is_in_heading, False
            return [f"<{PARAGRAPH_PAUSE:g}s>"] if is_pause else []
        if kind == "tag":
            return [f"<{PARAGRAPH_PAUSE:g}s>"] if re.match(r"</[ps]\b", match[0]) else []
        self._is_in_heading = self._is_in_heading or kind == "heading"
        if kind in ("opening", "heading", "line_mark"):
            return []
        if kind == "word" or self._rules is None:
            return self._plain(match[0])
        try:
            return str(getattr(Verbalizer(self._rules), kind)(match)).split()
        except Exception as error:  # one number that can't be read must not end the whole text
            logger.warning("Text of the kind “%s” is left to the engine: %s", kind, type(error).__name__)
            return [part for word in match[0].split() for part in self._plain(word)]

    def _plain(self, word: str) -> list[str]:
        speakable = "".join(c for c in word.translate(_TYPOGRAPHY) if unicodedata.category(c) not in _UNSPEAKABLE)
        bare = speakable.strip("*_~`|")
        if self._rules is None:
            return [bare] if any(c.isalnum() for c in bare) or word in "€$£¥%&@+=" else []
        symbols = self._rules.symbols
        if word in symbols:
            return symbols[word].split()
        if word in self._rules.money:
            return [self._rules.money[word][1]]
        if any(symbol in word for symbol in symbols) and any(c.isalnum() for c in word):
            spaced = "".join(f" {symbols[c]} " if c in symbols else c for c in word)
            return [text for part in spaced.split() for text in self._plain(part)]
        if "/" in bare.strip("/"):
            return [text for part in bare.split("/") for text in self._plain(part)]
        return [bare] if any(_is_latin(c) or c.isdigit() for c in bare) else []


_UNSPEAKABLE = {"Cc", "Cf", "Cn", "Co", "Cs", "So", "Sk"}
"""Unicode categories without a spoken form: control characters, emoji."""
_TYPOGRAPHY = str.maketrans({"’": "'", "‘": "'", "\u00ad": "", "\u200b": "", "\ufeff": ""})


def _last_word(text: str) -> str:
    return next(iter(text.split()[-1:]), "")


def _is_latin(character: str) -> bool:
    return character.isalpha() and "LATIN" in unicodedata.name(character, "")


def _parts(word: str) -> Iterable[str]:
    return (word[start : start + MAX_WORD] for start in range(0, len(word), MAX_WORD))


def _pause(tag: str) -> str:
    digits = re.search(r"\d+(?:\.\d+)?", tag)
    seconds = float(digits[0]) if digits else 0.0
    return f"<{min(seconds / 1000 if 'ms' in tag else seconds, MAX_PAUSE):g}s>"
