"""Find and replace in transcripts."""

import re
from dataclasses import dataclass
from functools import cached_property

MAX_LENGTH = 200  # characters of either text


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
        return self._pattern.subn(lambda _: self.replace_with, text)

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        before = r"(?<!\w)" if not self.matches_partial_words and re.match(r"\w", self.find) else ""
        after = r"(?!\w)" if not self.matches_partial_words and re.search(r"\w$", self.find) else ""
        return re.compile(before + re.escape(self.find) + after, 0 if self.matches_case else re.IGNORECASE)
