"""Text as the model takes it: an entry for each word, with its tokens, and one for each pause."""

from typing import Any

from moshi.models.tts import Entry, TTSModel

from inference.messages import parse_pause

LONGEST_PAUSE = 10.0  # seconds
PADDING_BETWEEN = 1
"""Frames that the model is held back after the tokens of a word; upstream's, who find that it articulates better."""

_UNSPOKEN = str.maketrans({"’": "'", ":": " ", "(": None, ")": None})
"""What upstream's models were trained without."""


class TextTokenizer:
    """Turns the text of one utterance, as it comes, into entries; their texts are the words as they were given.

    A word that is several to the model ("12:30") is told with its first entry, and one that is none (":") with that of
    the next word.
    """

    def __init__(self, model: TTSModel) -> None:
        self._tokenizer: Any = model.tokenizer
        self._frame_rate = model.mimi.frame_rate
        self._speaker = [model.machine.token_ids.main] if model.multi_speaker else []
        self.skipped: list[str] = []
        """Words that wait to be told with the next."""

    def entries(self, text: str) -> list[Entry]:
        """`text` is whole words and pauses (`pause_of`)."""
        return [entry for word in text.split() for entry in self._entries_of(word)]

    def _entries_of(self, word: str) -> list[Entry]:
        if (pause := parse_pause(word)) is None:
            return self._word(word)
        frames = round(min(pause, LONGEST_PAUSE) * self._frame_rate)
        return [Entry(tokens=[], text="", padding=frames)] if frames else []

    def _word(self, word: str) -> list[Entry]:
        pieces = [self._tokenizer.encode(piece) for piece in word.translate(_UNSPOKEN).split()]
        entries = [self._entry(tokens) for tokens in pieces if tokens]
        self.skipped.append(word)
        if entries:
            entries[0].text = " ".join(self.skipped)
            self.skipped = []
        return entries

    def _entry(self, tokens: list[int]) -> Entry:
        tokens, self._speaker = [*self._speaker, *tokens], []  # who speaks is said before their first word
        return Entry(tokens=tokens, text="", padding=PADDING_BETWEEN + len(tokens) - 1)
