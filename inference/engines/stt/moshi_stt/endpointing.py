"""Endpoint detection from the pause probabilities of the model's heads and from the words.

The heads predict: they report a pause soon after it began, while the last words are still in the model's delay. So the
decision takes two steps: first a pause is detected, and once the words before it are flushed, it ends the segment or
not.
"""

import re
from collections.abc import Sequence

from inference.messages import PAUSE_LENGTHS, Endpointing

FRAMES_PER_SECOND = 12.5
MIN_VOICED = 3
"""Frames of voice since the last flush for a pause to count as a new one."""
MIN_GUARDED_PAUSE = 3
"""Frames for which a guarded pause must be detected: the heads spike for one or two before a number."""
MAX_WORDLESS = 3.0
"""Seconds without a word that end a segment regardless of the heads."""

_SPELLED = re.compile(r"\W*(\w|\w*\d\w*|[A-Z](\W?[A-Z])+)\W*")
_NUMBERS = frozenset(
    """zero oh one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
    seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand million double
    triple dot point at dash slash number
    zéro un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize vingt trente quarante
    cinquante soixante cent cents mille million virgule arobase tiret numéro""".split()  # noqa: SIM905
)


class EndpointDetector:
    def __init__(self, options: Endpointing) -> None:
        self._options = options
        self._head = PAUSE_LENGTHS.index(options.pause)
        self._voiced = 0  # frames since the last flush of words
        self._pause_frames = 0
        self._pauses: Sequence[float] = ()

    def process(self, pauses: Sequence[float]) -> None:
        """Process one frame. `pauses`: the heads' probabilities that a pause of each length has begun."""
        self._pauses = pauses
        self._voiced += pauses[0] < 0.5
        self._pause_frames = self._pause_frames + 1 if self._predicts_pause(self._head) else 0

    @property
    def is_pause(self) -> bool:
        return self._pause_frames >= (MIN_GUARDED_PAUSE if self._options.guard else 1)

    @property
    def pause_frames(self) -> int:
        """Consecutive frames in which the pause has been detected."""
        return self._pause_frames

    @property
    def is_new_pause(self) -> bool:
        """A pause has begun, and the words before it are not flushed yet."""
        return self.is_pause and self._voiced >= MIN_VOICED

    def on_words_flushed(self) -> None:
        self._voiced = 0

    def is_endpoint(self, words: int, last: str) -> bool:
        """Whether the pause ends a segment of so many words, all of which are flushed."""
        if not self.is_pause or words < max(1, self._options.min_words):
            return False
        return not (self._options.guard and is_mid_number(last)) or self._predicts_pause(
            min(self._head + 1, len(PAUSE_LENGTHS) - 1)
        )

    def is_too_long(self, frames: int) -> bool:
        return frames > self._options.max_turn * FRAMES_PER_SECOND

    def is_silent(self, frames: int) -> bool:
        """Whether so many frames without a word end the segment."""
        return frames > max(MAX_WORDLESS, self._options.pause + 1) * FRAMES_PER_SECOND

    def _predicts_pause(self, head: int) -> bool:
        return self._pauses[min(head, len(self._pauses) - 1)] > self._options.threshold


def is_mid_number(word: str) -> bool:
    """Whether the word is a digit, a number or a spelled letter: more of them may follow slowly."""
    return bool(_SPELLED.fullmatch(word)) or word.strip(".,;:!?…").lower() in _NUMBERS
