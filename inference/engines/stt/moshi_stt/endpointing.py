"""When an utterance is over, by what the model's heads say of pauses and by the words.

The heads predict: they are sure of a pause soon after it began, while the last words are still on their way through the
model's delay. So the end is decided in two steps: a pause is believed, and when the words before it are out, it ends
the utterance or not.
"""

import re
from collections.abc import Sequence

from inference.messages import PAUSE_LENGTHS, Endpointing

FRAMES_PER_SECOND = 12.5
VOICED_AT_LEAST = 3
"""Frames of voice before which a pause is no news."""
HELD = 3
"""Frames for which a guarded pause must be believed: the heads spike for one or two before a number."""
SILENCE = 3.0
"""Seconds without a word that end an utterance whatever the heads say."""

_SPELLED = re.compile(r"\W*(\w|\w*\d\w*|[A-Z](\W?[A-Z])+)\W*")
_NUMBERS = frozenset(
    """zero oh one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
    seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand million double
    triple dot point at dash slash number
    zéro un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize vingt trente quarante
    cinquante soixante cent cents mille million virgule arobase tiret numéro""".split()  # noqa: SIM905
)


class EndpointDetector:
    def __init__(self, wishes: Endpointing) -> None:
        self._options = wishes
        self._head = PAUSE_LENGTHS.index(wishes.pause)
        self._voiced = 0  # frames since words were last brought out
        self._confidence = 0  # frames for which the pause has been believed by now
        self._silent = 0
        self._pauses: Sequence[float] = ()

    def process(self, pauses: Sequence[float]) -> None:
        """What the heads say of one more frame: the probabilities that a pause of each length has begun."""
        self._pauses = pauses
        self._voiced += pauses[0] < 0.5
        self._confidence = self._confidence + 1 if self._is_sure(self._head) else 0

    @property
    def is_pause(self) -> bool:
        return self._confidence >= (HELD if self._options.guard else 1)

    @property
    def confidence(self) -> int:
        """Frames for which the pause has been believed."""
        return self._confidence

    @property
    def has_changed(self) -> bool:
        """A pause has begun, and what was said before it is not all out yet."""
        return self.is_pause and self._voiced >= VOICED_AT_LEAST

    def on_words_flushed(self) -> None:
        self._voiced = 0

    def is_endpoint(self, words: int, last: str) -> bool:
        """Whether the pause ends an utterance of so many words, all of which are out."""
        if not self.is_pause or words < max(1, self._options.min_words):
            return False
        return not (self._options.guard and is_mid_number(last)) or self._is_sure(
            min(self._head + 1, len(PAUSE_LENGTHS) - 1)
        )

    def is_too_long(self, frames: int) -> bool:
        return frames > self._options.max_turn * FRAMES_PER_SECOND

    def is_silent(self, frames: int) -> bool:
        """So many frames without a word."""
        return frames > max(SILENCE, self._options.pause + 1) * FRAMES_PER_SECOND

    def _is_sure(self, head: int) -> bool:
        return self._pauses[min(head, len(self._pauses) - 1)] > self._options.threshold


def is_mid_number(word: str) -> bool:
    """A digit, a number, a letter that is spelled: more of them may follow, slowly."""
    return bool(_SPELLED.fullmatch(word)) or word.strip(".,;:!?…").lower() in _NUMBERS
