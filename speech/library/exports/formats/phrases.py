"""Phrases of a transcript in order of time, also where speakers interrupt each other."""

import unicodedata
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import count
from operator import attrgetter

from speech.library.exports.document import Segment, one_line
from speech.library.exports.formats.timing import Token, spread, timed_tokens

MAX_LINE = 42
"""Columns in a line of a caption; longer words are split."""
MIN_PAUSE = 0.8
"""Seconds of silence that always end a phrase."""
UNINTERRUPTED, UNRESUMED = 1.0, 3.0
"""Seconds of a phrase that stay together when another speaker begins, and when one continues who was interrupted."""


@dataclass(frozen=True)
class Phrase:
    """What one speaker says without a pause or an interruption. `tokens` is not empty."""

    speaker: str
    tokens: list[Token]

    @property
    def start(self) -> float:
        """Seconds."""
        return self.tokens[0].start


def phrases_in_order(segments: Iterable[Segment]) -> Iterator[Phrase]:
    """Phrases of `segments`, which are sorted by start. A phrase is split where another speaker interrupts it."""
    waiting = _Waiting()
    for segment in segments:
        yield from waiting.before(segment.start)
        for phrase in _phrases_of(segment):
            waiting.add(phrase)
    yield from waiting.before(float("inf"))


def with_speaker_names(phrases: Iterable[Phrase]) -> Iterator[Phrase]:
    """Begin a phrase with its speaker's name where the speaker changes."""
    speaker = ""
    for phrase in phrases:
        if phrase.speaker and phrase.speaker != speaker:
            name = Token(f"{next(_parts(phrase.speaker, MAX_LINE - 1))}:", phrase.start, phrase.start)
            yield Phrase(phrase.speaker, [name, *phrase.tokens])
        else:
            yield phrase
        speaker = phrase.speaker


class _Waiting:
    def __init__(self) -> None:
        self._heap: list[tuple[float, int, bool, Phrase]] = []  # start, number, whether it was interrupted
        self._number = count()

    def add(self, phrase: Phrase) -> None:
        heappush(self._heap, (phrase.start, next(self._number), False, phrase))

    def before(self, seconds: float) -> Iterator[Phrase]:
        """Remove the phrases, and parts of phrases, that start before a time at which another segment starts."""
        while self._heap and self._heap[0][0] < seconds:
            _, number, _, phrase = heappop(self._heap)
            border = max(seconds, phrase.start + UNINTERRUPTED)
            if self._heap:
                start, _, was_interrupted, _ = self._heap[0]
                border = min(border, max(start, phrase.start + (UNRESUMED if was_interrupted else UNINTERRUPTED)))
            end = _count_before(phrase.tokens, border)
            yield Phrase(phrase.speaker, phrase.tokens[:end])
            if rest := phrase.tokens[end:]:
                heappush(self._heap, (rest[0].start, number, True, Phrase(phrase.speaker, rest)))


def _count_before(tokens: Sequence[Token], border: float) -> int:
    """Number of tokens, which are in order, that start or have ended before a time."""
    count = bisect_left(tokens, border, key=attrgetter("start"))
    while count < len(tokens) and tokens[count].end <= border:
        count += 1
    return count


def _phrases_of(segment: Segment) -> Iterator[Phrase]:
    speaker = one_line(segment.speaker)
    tokens: list[Token] = []
    for token in _tokens(segment):
        if tokens and token.start - tokens[-1].end >= MIN_PAUSE:
            yield Phrase(speaker, tokens)
            tokens = []
        tokens.append(token)
    if tokens:
        yield Phrase(speaker, tokens)


def _tokens(segment: Segment) -> Iterator[Token]:
    for token in timed_tokens(segment):
        text = token.text.rstrip()
        *parts, last = _parts(text, MAX_LINE)
        yield from spread([*parts, last + token.text[len(text) :]], token.start, token.end)


def columns(text: str) -> int:
    """Width of a text: East Asian characters and emoji are twice as wide as others, and marks have no width."""
    return len(text) if text.isascii() else sum(map(_columns_of, text))


def _columns_of(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1


def _parts(text: str, width: int) -> Iterator[str]:
    """Parts of a text, each at most `width` columns wide."""
    first, left = 0, width
    for index, character in enumerate(text):
        left -= _columns_of(character)
        if left < 0:
            yield text[first:index]
            first, left = index, width - _columns_of(character)
    yield text[first:]
