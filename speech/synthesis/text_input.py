"""The text of a synthesis job as it arrives, and its normalization."""

import time

from speech.errors import InvalidText
from speech.synthesis.text_normalization.normalizer import NormalizedWord, SkippedText, TextNormalizer

MAX_TEXT = 100_000
"""Characters of one job: some two hours of speech."""
NORMALIZATION_CHUNK = 400
"""Characters normalized at once; this blocks the event loop for some milliseconds."""


class TextInput:
    def __init__(self) -> None:
        self.text = ""
        """Everything received so far."""
        self.is_finished = False
        """No more text follows."""
        self.first_received_at: float | None = None  # monotonic
        self.last_received_at = time.monotonic()
        self._normalized = 0  # characters
        self._normalizer: TextNormalizer
        self._reported = 0  # entries of `_normalizer.skipped`

    def add(self, text: str) -> None:
        """Append text; whitespace separates words, also between two calls. Raises `InvalidText` if the total is too
        long or the input is finished."""
        if self.is_finished:
            raise InvalidText(
                "Text was sent after the end of input.",
                "No input is accepted after “finish”.",
                "Start a new request.",
            )
        if len(self.text) + len(text) > MAX_TEXT:
            raise InvalidText(
                "The text is too long.",
                f"The limit is {MAX_TEXT:,} characters.",
                "Split the text.",
            )
        self.text += text
        self.last_received_at = time.monotonic()
        self.first_received_at = self.first_received_at or self.last_received_at

    def start(self, language: str) -> None:
        """Choose the language of the normalization, before the first word is read."""
        self._normalizer = TextNormalizer(language)

    @property
    def has_more(self) -> bool:
        """Text has arrived that is not normalized yet."""
        return self._normalized < len(self.text)

    @property
    def is_exhausted(self) -> bool:
        """The input is finished, and all of it is normalized."""
        return self.is_finished and not self.has_more

    def read(self) -> list[NormalizedWord]:
        """Normalize the next chunk and return its words; the last ones may follow with the next chunk."""
        chunk = self.text[self._normalized : self._normalized + NORMALIZATION_CHUNK]
        self._normalized += len(chunk)
        return self._normalizer.feed(chunk)

    def read_rest(self) -> list[NormalizedWord]:
        """Words that the normalizer held back, once the input is exhausted."""
        return self._normalizer.finish()

    def pop_skipped(self) -> list[SkippedText]:
        """Text that cannot be spoken, as far as it was not returned before."""
        skipped = self._normalizer.skipped[self._reported :]
        self._reported += len(skipped)
        return skipped
