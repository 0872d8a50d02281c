"""Pause probabilities for each step, as of Kyutai's models: for pauses of 0.5, 1, 2 and 3 s."""

import numpy as np

from inference.messages import FRAME_SAMPLES, PAUSE_LENGTHS, SAMPLE_RATE
from speech.dialects.kyutai.messages import Samples

SPEECH_THRESHOLD = 0.5
FRAME = FRAME_SAMPLES / SAMPLE_RATE  # seconds
_HALVES = np.array(PAUSE_LENGTHS, dtype=np.float32) / 2


class PauseHeads:
    """The model's own predictions, or an estimate from the voice activity: a pause is certain after half of it.

    Clients treat a turn as ended when the third probability reaches 0.5 or 0.6, so 0.5 to 0.6 s after the voice, and as
    interrupted at once when it is below 0.4.
    """

    def __init__(self) -> None:
        self._silence = 0.0  # seconds

    def predict(self, speech: float, heads: list[float]) -> Samples:
        """Return float32[4] for one frame."""
        self._silence = 0.0 if speech >= SPEECH_THRESHOLD else self._silence + FRAME
        if len(heads) == len(PAUSE_LENGTHS):
            return np.array(heads, dtype=np.float32)
        return np.minimum(1, np.float32(self._silence) / _HALVES)
