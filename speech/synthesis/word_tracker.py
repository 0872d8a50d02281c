"""Words of a synthesis job on their way: waiting, sent to the engine, timed, emitted to the client."""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from inference.messages import Word
from speech.synthesis.text_normalization.normalizer import NormalizedWord


@dataclass
class WordGroup:
    """Consecutive words with the same span of the text, and their time."""

    words: list[NormalizedWord]
    start: float  # seconds
    end: float
    is_emitted: bool = False

    @property
    def span(self) -> tuple[int, int]:
        return self.words[0].first, self.words[0].end


class WordTracker:
    def __init__(self) -> None:
        self._waiting: deque[NormalizedWord] = deque()
        self._sent: deque[NormalizedWord] = deque()  # not timed yet
        self._timed: deque[WordGroup] = deque()  # audio not completely emitted yet
        self._last_emitted: tuple[int, int] | None = None  # span of the group emitted last

    @property
    def is_sent(self) -> bool:
        """True if no word waits to be sent."""
        return not self._waiting

    @property
    def is_timed(self) -> bool:
        """True if every sent word has its time."""
        return not self._sent

    @property
    def is_empty(self) -> bool:
        return not (self._waiting or self._sent or self._timed)

    @property
    def waiting(self) -> int:
        """Characters not sent yet."""
        return _length(self._waiting)

    @property
    def ahead(self) -> int:
        """Characters sent whose audio is not emitted yet."""
        return _length(self._sent) + sum(_length(group.words) for group in self._timed)

    def add(self, words: Iterable[NormalizedWord]) -> None:
        self._waiting.extend(words)

    def pop_text(self, limit: int) -> str:
        """Text of the next words, of about `limit` characters; counts them as sent."""
        words = []
        while self._waiting and limit > 0:
            words.append(self._waiting.popleft())
            limit -= _length(words[-1:])
        self._sent.extend(words)
        return " ".join(word.text for word in words)

    def set_time(self, word: Word) -> None:
        """Set the time of the next sent word. The engine reports words in order, and no pauses."""
        while self._sent and self._sent[0].is_pause:
            self._timed.append(WordGroup([self._sent.popleft()], word.start, word.start, is_emitted=True))
        if not self._sent:
            return
        group = WordGroup([self._sent.popleft()], word.start, word.end)
        if self._timed and self._timed[-1].span == group.span:
            self._timed[-1].words += group.words
            self._timed[-1].end = group.end
        else:
            # The engine may report a word only when it is spoken: the start of its group may be emitted and discarded.
            group.is_emitted = group.span == self._last_emitted
            self._timed.append(group)

    def pop_started(self, seconds: float) -> Iterator[WordGroup]:
        """Groups that start before `seconds` and are not emitted yet; marks them as emitted."""
        for group in self._timed:
            if group.start >= seconds:
                return
            if not group.is_emitted:
                group.is_emitted, self._last_emitted = True, group.span
                yield group

    def discard_before(self, seconds: float) -> None:
        """Drop the emitted groups that end by `seconds`."""
        while self._timed and self._timed[0].is_emitted and self._timed[0].end <= seconds:
            self._timed.popleft()

    def rewind(self) -> None:
        """Send the words again whose audio was not completely emitted."""
        unfinished = [*(word for group in self._timed for word in group.words), *self._sent]
        self._waiting.extendleft(reversed(unfinished))
        self._timed.clear()
        self._sent.clear()
        self._last_emitted = None


def _length(words: Iterable[NormalizedWord]) -> int:
    """Characters, with the space after each word: a word takes time, however short it is."""
    return sum(len(word.text) + 1 for word in words)
