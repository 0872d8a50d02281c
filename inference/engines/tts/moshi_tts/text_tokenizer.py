"""Text in the model's form: an entry for each word, with its tokens, and one for each pause."""

from typing import Any

from moshi.models.tts import Entry, TTSModel

from inference.messages import parse_pause

MAX_PAUSE = 10.0  # seconds
PADDING_BETWEEN = 1
"""Frames for which the model is held back after the tokens of a word. Upstream's value; it improves articulation."""

_UNSPOKEN = str.maketrans({"’": "'", ":": " ", "(": None, ")": None})
"""Characters that do not occur in the training data of upstream's models."""


class TextTokenizer:
    """Turns the text of one segment into entries as it arrives; the texts of the entries are the original words.

    A word that is several to the model ("12:30") is reported with its first entry, and one that is none (":") with the
    first entry of the next word.
    """

    def __init__(self, model: TTSModel) -> None:
        self._tokenizer: Any = model.tokenizer
        self._frame_rate = model.mimi.frame_rate
        self._speaker = [model.machine.token_ids.main] if model.multi_speaker else []
        self.skipped: list[str] = []
        """Words that are reported with the next one."""

    def entries(self, text: str) -> list[Entry]:
        """`text` contains only whole words and pauses (`parse_pause`)."""
        return [entry for word in text.split() for entry in self._entries_of(word)]

    def _entries_of(self, word: str) -> list[Entry]:
        if (pause := parse_pause(word)) is None:
            return self._word(word)
        frames = round(min(pause, MAX_PAUSE) * self._frame_rate)
        return [Entry(tokens=[], text="", padding=frames)] if frames else []

    def _word(self, word: str) -> list[Entry]:
        encoded = [self._tokenizer.encode(part) for part in word.translate(_UNSPOKEN).split()]
        entries = [self._entry(tokens) for tokens in encoded if tokens]
        self.skipped.append(word)
        if entries:
            entries[0].text = " ".join(self.skipped)
            self.skipped = []
        return entries

    def _entry(self, tokens: list[int]) -> Entry:
        tokens, self._speaker = [*self._speaker, *tokens], []  # the speaker token precedes the first word
        return Entry(tokens=tokens, text="", padding=PADDING_BETWEEN + len(tokens) - 1)
