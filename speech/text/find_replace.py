"""Finding a text in what was said, to write another in its place wherever it stands."""

import re
from dataclasses import dataclass
from functools import cached_property

MAX_LENGTH = 200  # characters of what is looked for, and of what takes its place


@dataclass(frozen=True)
class Replacement:
    """Within utterances, across words. Raises `ValueError` where there is nothing to look for, or too much."""

    wanted: str
    by: str
    matches_case: bool = False
    in_words: bool = False
    """Also where it is a part of a word."""

    def __post_init__(self) -> None:
        if not self.wanted:
            raise ValueError("Say what to look for.")
        if max(len(self.wanted), len(self.by)) > MAX_LENGTH:
            raise ValueError(f"More than {MAX_LENGTH} characters can be neither looked for nor put in.")

    def apply(self, text: str) -> tuple[str, int]:
        """The text with its replacements, and how many they are."""
        return self._pattern.subn(lambda _: self.by, text)

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        before = r"(?<!\w)" if not self.in_words and re.match(r"\w", self.wanted) else ""
        after = r"(?!\w)" if not self.in_words and re.search(r"\w$", self.wanted) else ""
        return re.compile(before + re.escape(self.wanted) + after, 0 if self.matches_case else re.IGNORECASE)
