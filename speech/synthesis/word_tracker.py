"""What a speaking job has yet to say, and what of it was sent, timed and told."""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from inference.messages import Word
from speech.synthesis.text_normalization.normalizer import SpokenWord


@dataclass
class WordGroup:
    """Words that stand for one part of the text, and when they are spoken."""

    words: list[SpokenWord]
    start: float
    end: float
    is_emitted: bool = False

    @property
    def span(self) -> tuple[int, int]:
        return self.words[0].first, self.words[0].end


class WordTracker:
    def __init__(self) -> None:
        self._waiting: deque[SpokenWord] = deque()
        self._sent: deque[SpokenWord] = deque()  # and not timed
        self._timed: deque[WordGroup] = deque()  # and not told to their end
        self._last_emitted: tuple[int, int] | None = None  # the place of the passage told last

    @property
    def is_sent(self) -> bool:
        return not self._waiting

    @property
    def is_timed(self) -> bool:
        return not self._sent

    @property
    def is_empty(self) -> bool:
        return not (self._waiting or self._sent or self._timed)

    @property
    def waiting(self) -> int:
        """Characters that were not sent."""
        return _length(self._waiting)

    @property
    def ahead(self) -> int:
        """Characters that were sent, and whose audio was not told."""
        return _length(self._sent) + sum(_length(passage.words) for passage in self._timed)

    def add(self, words: Iterable[SpokenWord]) -> None:
        self._waiting.extend(words)

    def send(self, room: int) -> str:
        """The next words, of about `room` characters."""
        words = []
        while self._waiting and room > 0:
            words.append(self._waiting.popleft())
            room -= len(words[-1].text)
        self._sent.extend(words)
        return " ".join(word.text for word in words)

    def set_time(self, word: Word) -> None:
        """The engine tells the words in the order in which it got them; pauses it does not tell."""
        while self._sent and self._sent[0].is_pause:
            self._timed.append(WordGroup([self._sent.popleft()], word.start, word.start, is_emitted=True))
        if not self._sent:
            return
        passage = WordGroup([self._sent.popleft()], word.start, word.end)
        if self._timed and self._timed[-1].span == passage.span:
            self._timed[-1].words += passage.words
            self._timed[-1].end = passage.end
        else:
            passage.is_emitted = (
                passage.span == self._last_emitted
            )  # where the engine tells a word no sooner than it speaks it
            self._timed.append(passage)

    def started_before(self, seconds: float) -> Iterator[WordGroup]:
        """The passages that begin by then and are not told; now they are."""
        for passage in self._timed:
            if passage.start >= seconds:
                return
            if not passage.is_emitted:
                passage.is_emitted, self._last_emitted = True, passage.span
                yield passage

    def discard_before(self, seconds: float) -> None:
        while self._timed and self._timed[0].is_emitted and self._timed[0].end <= seconds:
            self._timed.popleft()

    def rewind(self) -> None:
        """Send again what was not told to its end."""
        untold = [*(word for passage in self._timed for word in passage.words), *self._sent]
        self._waiting.extendleft(reversed(untold))
        self._timed.clear()
        self._sent.clear()
        self._last_emitted = None


def _length(words: Iterable[SpokenWord]) -> int:
    return sum(len(word.text) for word in words)
