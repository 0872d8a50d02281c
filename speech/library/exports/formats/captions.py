"""Splitting segments into readable captions: the rules of all subtitle formats.

At most two lines of 42 columns, at most 17 columns per second, breaks where the speaker pauses or a clause ends.
If the speech is faster than that, a caption stays up to a second into the next one's words; if even that is not enough,
it is too fast but complete, because a caption without some of the words would say something else.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from operator import add, sub

from speech.library.exports.document import Segment
from speech.library.exports.formats.phrases import (
    MAX_LINE,
    MIN_PAUSE,
    columns,
    phrases_in_order,
    with_speaker_names,
)
from speech.library.exports.formats.timing import Token
from speech.text.word_spacing import gap, join_words

COLUMNS_PER_SECOND = 17.0
"""Maximum reading speed. An East Asian character is two columns wide."""
PREFERRED_MIN, PREFERRED_MAX = 1.0, 7.0
"""Seconds that a caption is shown, if the next one leaves enough time and a break allows it."""
MAX_LINGER = 1.0
"""Maximum seconds that a caption delays the next one."""
MIN_DURATION = 0.04
"""Seconds; one film frame. No caption is shorter, whatever the words' times are."""

CLAUSE_ENDS = (",", ";", ":", "،", "、", "，")
SENTENCE_ENDS = (".", "?", "!", "…", "؟", "。", "？", "！")


@dataclass(frozen=True)
class Caption:
    start: float
    end: float
    lines: tuple[tuple[Token, ...], ...]
    speaker: str = ""

    @property
    def text(self) -> str:
        return "\n".join(join_words(token.text for token in line) for line in self.lines)


def captions(segments: Iterable[Segment], named: bool = False) -> Iterator[Caption]:
    """Captions that don't overlap, in order of time. `named`: put the speaker's name before their words where the
    speaker changes."""
    phrases = phrases_in_order(segments)
    return _timed(
        Caption(tokens[0].start, tokens[-1].end, _lines(tokens), phrase.speaker)
        for phrase in (with_speaker_names(phrases) if named else phrases)
        for tokens in _split_phrase(phrase.tokens)
    )


# --- Breaks ---------------------------------------------------------------------------------------------------------


def _split_phrase(phrase: list[Token]) -> list[list[Token]]:
    """Split a phrase into captions at the breaks with the minimum total cost."""
    lengths = _Lengths(phrase)
    best = [0.0]  # cost of the first n tokens
    starts = [0]  # first token of the last of their captions
    for end in range(1, len(phrase) + 1):
        earliest = lengths.first_that_fits(end)
        choices = ((best[start] + _cost(phrase, start, end, lengths), start) for start in range(earliest, end))
        cost, start = min(choices)
        best.append(cost)
        starts.append(start)
    captions: list[list[Token]] = []
    end = len(phrase)
    while end:
        captions.append(phrase[starts[end] : end])
        end = starts[end]
    return captions[::-1]


def _cost(phrase: list[Token], start: int, end: int, lengths: "_Lengths") -> float:
    """Cost of a caption with tokens `start` to `end` (exclusive): lower for few, slow and well-split captions."""
    is_last = end == len(phrase)
    shown = (phrase[end - 1].end + MIN_PAUSE if is_last else phrase[end].start) - phrase[start].start
    too_fast = max(0.0, lengths.between(start, end) / COLUMNS_PER_SECOND - shown)
    too_short = max(0.0, PREFERRED_MIN - shown)
    too_long = max(0.0, shown - PREFERRED_MAX)
    lonely = 0.5 if end - start == 1 and len(phrase) > 1 else 0.0
    return 1.0 + 4 * too_fast + 2 * too_short + too_long + lonely + (0.0 if is_last else _break_cost(phrase, end))


def _break_cost(tokens: Sequence[Token], index: int) -> float:
    """Cost of a break before token `index`, 0 to 1."""
    before, after = tokens[index - 1], tokens[index]
    if before.text.endswith(SENTENCE_ENDS):
        return 0.0
    pause = max(0.0, min((after.start - before.end) / MIN_PAUSE, 1.0))
    return (0.4 if before.text.endswith(CLAUSE_ENDS) else 1.0) * (1.0 - pause)


class _Lengths:
    """Lengths in columns of parts of a phrase, with the spaces between the tokens."""

    def __init__(self, phrase: Sequence[Token]) -> None:
        spaces = [0, *(_has_space(one.text, other.text) for one, other in pairwise(phrase))]
        widths = [columns(token.text.rstrip()) for token in phrase]
        self._ends = [*accumulate(map(add, spaces, widths))]
        self._starts = [*map(sub, self._ends, widths)]

    def between(self, start: int, end: int) -> int:
        return self._ends[end - 1] - self._starts[start]

    def first_that_fits(self, end: int) -> int:
        """Earliest token with which a caption that ends before `end` fits into two lines."""
        second = self._first_of_line(end)
        return self._first_of_line(second) if second else 0

    def _first_of_line(self, end: int) -> int:
        return bisect_left(self._starts, self._ends[end - 1] - MAX_LINE)


def _has_space(before: str, after: str) -> bool:
    return before[-1].isspace() or gap(before, after) != ""


def _lines(tokens: list[Token]) -> tuple[tuple[Token, ...], ...]:
    """One line if the tokens fit; otherwise two, as even as good breaks allow."""
    lengths = _Lengths(tokens)
    if lengths.between(0, len(tokens)) <= MAX_LINE:
        return (tuple(tokens),)

    def cost(index: int) -> float:
        first, second = lengths.between(0, index), lengths.between(index, len(tokens))
        too_long = max(first, second) > MAX_LINE
        return 100.0 * too_long + abs(first - second) / MAX_LINE + _break_cost(tokens, index)

    middle = min(range(1, len(tokens)), key=cost)
    return tuple(tokens[:middle]), tuple(tokens[middle:])


# --- Display times -------------------------------------------------------------------------------------------------


def _timed(captions: Iterable[Caption]) -> Iterator[Caption]:
    """Show each caption as long as it takes to read, and end it for the next."""
    previous_end = 0.0
    pending: Caption | None = None
    for caption in captions:
        if pending:
            shown = _shown(pending, previous_end, until=caption.start)
            previous_end = shown.end
            yield shown
        pending = caption
    if pending:
        yield _shown(pending, previous_end, until=float("inf"))


def _shown(caption: Caption, previous_end: float, until: float) -> Caption:
    start = max(caption.start, previous_end)
    to_read = start + columns(caption.text) / COLUMNS_PER_SECOND
    end = max(
        min(caption.end, until),
        min(to_read, until + MAX_LINGER),
        min(start + PREFERRED_MIN, until),
        start + MIN_DURATION,
    )
    return Caption(start, end, caption.lines, caption.speaker)
