"""Speech without words: the sign that a model is stuck, and the audio to transcribe again after its restart."""

from bisect import bisect_right
from collections import deque

from inference.messages import FRAME_SAMPLES, SAMPLE_RATE, Step

STALLED_AFTER = 10.0
"""Seconds of speech without a word after which the engine is considered stalled on this stream."""
KEPT = 20.0
"""Maximum seconds of audio that a stream keeps: 0.96 MB. It covers the speech, pauses within it, and the model's delay.
While words come, a stream keeps what they lag behind the speech."""
ONSET = 4 * FRAME_SAMPLES
"""Samples before the first speech that its recognition requires."""
SHORT_SOUND, SHORT_SOUND_OVER = 1.0, 2.0
"""Speech shorter than this, in seconds, that so much silence follows is no missed speech, but a cough or the end of the
last word."""


class WordlessSpeech:
    """Counts the speech after the last word, and keeps its audio until words come. All positions are samples."""

    def __init__(self) -> None:
        self._voiced: list[int] = []  # end of each frame of speech after the last word
        self._frames: deque[tuple[int, bytes]] = deque()  # kept ones: first sample, s16le
        self._words_end = 0
        self._final_until = 0  # by the engine
        self._is_repeatable = True

    def keep(self, position: int, pcm: bytes) -> None:
        """Keep a frame that begins at `position` and is now processed."""
        if self._is_repeatable:
            self._frames.append((position, pcm))

    def on_word(self, end: int) -> None:
        self._words_end = max(self._words_end, end)
        del self._voiced[: bisect_right(self._voiced, end)]
        self._is_repeatable = True

    def on_step(self, step: Step) -> None:
        self._final_until = step.final_until
        if step.speech > 0.5:
            self._voiced.append(step.sample)
        elif self._voiced and self._is_short_sound(step.sample):
            self._voiced.clear()
        first = (self._voiced[0] - FRAME_SAMPLES if self._voiced else step.sample) - ONSET
        first = max(first, self._words_end, step.sample - round(KEPT * SAMPLE_RATE))
        while self._frames and self._frames[0][0] < first:
            self._frames.popleft()

    def _is_short_sound(self, sample: int) -> bool:
        seconds = len(self._voiced) * FRAME_SAMPLES / SAMPLE_RATE
        return seconds < SHORT_SOUND and sample - self._voiced[-1] > SHORT_SOUND_OVER * SAMPLE_RATE

    @property
    def final_until(self) -> int:
        """No word before this sample will come, even if the speech is transcribed again."""
        return self._frames[0][0] if self._frames and self._voiced else self._final_until

    @property
    def is_stalled(self) -> bool:
        """Whether a long stretch of speech has no words and will get none."""
        return bisect_right(self._voiced, self._final_until) * FRAME_SAMPLES > STALLED_AFTER * SAMPLE_RATE

    def drop_audio(self) -> None:
        """What is processed so far will not be transcribed again."""
        self._frames.clear()

    def take(self) -> bytes:
        """The audio to transcribe again, s16le; count from the beginning. It is empty the next times, until a word
        comes: what has no words twice has none."""
        pcm = b"".join(frame for _, frame in self._frames)
        self._frames.clear()
        self._voiced.clear()
        if pcm:
            self._is_repeatable = False
        return pcm
