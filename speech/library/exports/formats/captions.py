"""Utterances cut into captions that can be read in time: the rules of all subtitle formats.

At most two lines of 42 characters, at most 17 characters a second, breaks where the speaker pauses or a clause ends.
Where the speech is faster than it can be read, a caption may stand a second into the next one's words; where even that
is not enough it stays complete and is too fast, for a caption that leaves words out says something else.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from speech.library.exports.document import Segment
from speech.library.exports.formats.timing import Token, spread, timed

LINE = 42
"""Characters."""
CHARACTERS_PER_SECOND = 17.0
"""Characters a second."""
PAUSE = 0.8
"""Seconds of silence at which a caption always ends."""
SHORTEST, LONGEST = 1.0, 7.0
"""Seconds for which a caption stands, if there is room for the one and a break for the other."""
MAX_LINGER = 1.0
"""Seconds by which a caption may keep the next one waiting."""
MIN_DURATION = 0.04
"""Seconds; a frame of film. No caption is shorter, whatever the words' times say."""

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
        return "\n".join(" ".join(token.text for token in line) for line in self.lines)


def captions(utterances: Iterable[Segment], named: bool = False) -> Iterator[Caption]:
    """One after another, never two at a time. `named`: a speaker's name stands before what they begin to say."""
    return _timed(
        Caption(tokens[0].start, tokens[-1].end, _lines(tokens), utterance.speaker)
        for utterance, name in _with_speaker_names(utterances)
        for phrase in _phrases(_tokens(utterance, name if named else ""))
        for tokens in _split_phrase(phrase)
    )


# --- Words ----------------------------------------------------------------------------------------------------------


def _with_speaker_names(utterances: Iterable[Segment]) -> Iterator[tuple[Segment, str]]:
    """Each with its speaker's name, if another one spoke before."""
    speaker = ""
    for utterance in utterances:
        yield utterance, utterance.speaker if utterance.speaker != speaker else ""
        speaker = utterance.speaker


def _tokens(utterance: Segment, name: str) -> Iterator[Token]:
    if name:
        yield Token(f"{name[: LINE - 1]}:", utterance.start, utterance.start)
    for token in timed(utterance):
        parts = [token.text[i : i + LINE] for i in range(0, len(token.text), LINE)]
        yield from spread(parts, token.start, token.end)


def _phrases(tokens: Iterable[Token]) -> Iterator[list[Token]]:
    """Between pauses."""
    phrase: list[Token] = []
    for token in tokens:
        if phrase and token.start - phrase[-1].end >= PAUSE:
            yield phrase
            phrase = []
        phrase.append(token)
    if phrase:
        yield phrase


# --- Where to break -------------------------------------------------------------------------------------------------


def _split_phrase(phrase: list[Token]) -> list[list[Token]]:
    """The breaks that cost least, over all that there could be."""
    lengths = _Lengths(phrase)
    best = [0.0]  # what the first n tokens cost
    begins = [0]  # where the last of their captions begins
    for end in range(1, len(phrase) + 1):
        earliest = lengths.first_that_fits(end)
        choices = ((best[begin] + _cost(phrase, begin, end, lengths), begin) for begin in range(earliest, end))
        cost, begin = min(choices)
        best.append(cost)
        begins.append(begin)
    captions: list[list[Token]] = []
    end = len(phrase)
    while end:
        captions.append(phrase[begins[end] : end])
        end = begins[end]
    return captions[::-1]


def _cost(phrase: list[Token], begin: int, end: int, lengths: "_Lengths") -> float:
    """Of a caption of the tokens from `begin` to before `end`: few, calm and well cut ones are cheap."""
    is_last = end == len(phrase)
    shown = (phrase[end - 1].end + PAUSE if is_last else phrase[end].start) - phrase[begin].start
    too_fast = max(0.0, lengths.between(begin, end) / CHARACTERS_PER_SECOND - shown)
    too_short = max(0.0, SHORTEST - shown)
    too_long = max(0.0, shown - LONGEST)
    lonely = 0.5 if end - begin == 1 and len(phrase) > 1 else 0.0
    return 1.0 + 4 * too_fast + 2 * too_short + too_long + lonely + (0.0 if is_last else _split_tokens(phrase, end))


def _split_tokens(tokens: Sequence[Token], at: int) -> float:
    """How much a break before token `at` tears apart, 0 to 1."""
    before, after = tokens[at - 1], tokens[at]
    if before.text.endswith(SENTENCE_ENDS):
        return 0.0
    pause = max(0.0, min((after.start - before.end) / PAUSE, 1.0))
    return (0.4 if before.text.endswith(CLAUSE_ENDS) else 1.0) * (1.0 - pause)


class _Lengths:
    """How many characters stretches of a phrase have, with a space between the tokens."""

    def __init__(self, phrase: Sequence[Token]) -> None:
        self._until = [0, *accumulate(len(token.text) + 1 for token in phrase)]

    def between(self, begin: int, end: int) -> int:
        return self._until[end] - self._until[begin] - 1

    def first_that_fits(self, end: int) -> int:
        """The earliest token from which a caption to before `end` has no more than two lines."""
        second = self._first_of_line(end)
        return self._first_of_line(second) if second else 0

    def _first_of_line(self, end: int) -> int:
        return bisect_right(self._until, self._until[end] - LINE - 2)


def _lines(tokens: list[Token]) -> tuple[tuple[Token, ...], ...]:
    """One line if they fit; else two, as even as they can be without tearing apart what belongs together."""
    lengths = _Lengths(tokens)
    if lengths.between(0, len(tokens)) <= LINE:
        return (tuple(tokens),)

    def cost(at: int) -> float:
        first, second = lengths.between(0, at), lengths.between(at, len(tokens))
        too_long = max(first, second) > LINE
        return 100.0 * too_long + abs(first - second) / LINE + _split_tokens(tokens, at)

    at = min(range(1, len(tokens)), key=cost)
    return tuple(tokens[:at]), tuple(tokens[at:])


# --- When they are shown --------------------------------------------------------------------------------------------


def _timed(captions: Iterable[Caption]) -> Iterator[Caption]:
    """Each stands as long as it takes to read, and makes way for the next."""
    previous_end = 0.0
    waiting: Caption | None = None
    for caption in captions:
        if waiting:
            shown = _shown(waiting, previous_end, until=caption.start)
            previous_end = shown.end
            yield shown
        waiting = caption
    if waiting:
        yield _shown(waiting, previous_end, until=float("inf"))


def _shown(caption: Caption, previous_end: float, until: float) -> Caption:
    start = max(caption.start, previous_end)
    to_read = start + len(caption.text) / CHARACTERS_PER_SECOND
    end = max(
        min(caption.end, until),
        min(to_read, until + MAX_LINGER),
        min(start + SHORTEST, until),
        start + MIN_DURATION,
    )
    return Caption(start, end, caption.lines, caption.speaker)
