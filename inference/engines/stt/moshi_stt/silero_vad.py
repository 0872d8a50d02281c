"""Voice activity of all streams at once, from Silero's detector: it is not the model's own, so it notices speech for
which the model writes nothing. It also measures the pauses for models without heads that predict them.

It costs a processor core 2 ms per frame for one stream, 10 ms for 64 and 26 ms for 256, while the model computes.
"""

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

from inference.engine import Frame
from inference.messages import FRAME_SAMPLES, PAUSE_LENGTHS, SAMPLE_RATE

WINDOW = 512
"""Samples at 16 kHz that the detector processes at a time, two or three times a frame."""
CONTEXT = 64
"""Samples of the previous window that it gets before each window."""
HALF = WINDOW // 2
"""A frame has two and a half windows."""
FRAME_SAMPLES_16K = 5 * HALF
THRESHOLD = 0.5
FRAME_SECONDS = FRAME_SAMPLES / SAMPLE_RATE

TAPS = 33
"""Samples at 24 kHz from which one at 16 kHz is computed."""
CUTOFF = 0.93 * 2 / 3
"""Of the low-pass filter, as a share of 12 kHz."""


class VoiceActivity:
    """State of each slot's stream. Raises `ModuleNotFoundError` without the package silero-vad."""

    def __init__(self, slots: int) -> None:
        package = find_spec("silero_vad")  # not imported: that would limit torch to one thread
        if package is None or package.origin is None:
            raise ModuleNotFoundError("silero_vad", name="silero_vad")
        path = Path(package.origin).parent / "data" / "silero_vad.jit"
        self._detect = torch.jit.load(path, map_location="cpu")._model
        self._kernel = _resampling_kernel()
        self._audio = torch.zeros(slots, TAPS - 3)  # at 24 kHz: the last samples, for the next frame
        self._audio_16k = torch.zeros(slots, HALF + CONTEXT)
        self._state = torch.zeros(2, slots, 128)
        self._has_half = [False] * slots  # half a window is not processed
        self._speech = [0.0] * slots
        self._silence = [0.0] * slots  # seconds since the last speech
        for _ in range(2):  # optimizes the detector
            self.process({0: np.zeros(FRAME_SAMPLES, np.float32)})
        self.open(0)

    def open(self, slot: int) -> None:
        self._audio[slot] = self._audio_16k[slot] = self._state[:, slot] = 0
        self._has_half[slot] = False
        self._speech[slot] = self._silence[slot] = 0.0

    def process(self, frames: Mapping[int, Frame]) -> None:
        """Process a frame of each slot given: float32[1920], with any values."""
        if not frames:
            return
        slots = list(frames)
        with torch.no_grad():
            loudest = self._process(slots, torch.from_numpy(np.stack(list(frames.values()))))
        for slot, speech in zip(slots, loudest, strict=True):
            self._has_half[slot] = not self._has_half[slot]
            self._speech[slot] = speech
            self._silence[slot] = 0.0 if speech >= THRESHOLD else self._silence[slot] + FRAME_SECONDS

    def _process(self, slots: list[int], audio: torch.Tensor) -> list[float]:
        audio = torch.cat((self._audio[slots], audio.nan_to_num(0.0, 1.0, -1.0).clamp(-1, 1)), dim=1)
        self._audio[slots] = audio[:, FRAME_SAMPLES:]
        resampled = F.conv1d(audio[:, None], self._kernel, stride=3).transpose(1, 2).flatten(1)  # [B, 1280]
        audio_16k = torch.cat((self._audio_16k[slots], resampled), dim=1)
        self._audio_16k[slots] = audio_16k[:, FRAME_SAMPLES_16K:]
        windows = audio_16k.unfold(1, CONTEXT + WINDOW, HALF)  # [B, 5, 576]; the first has the half that is left
        loudest = torch.zeros(len(slots))
        for number in range(3):
            rows = [row for row, slot in enumerate(slots) if number < 2 or self._has_half[slot]]
            if not rows:
                continue
            chosen = [slots[row] for row in rows]
            firsts = [2 * number + (not self._has_half[slot]) for slot in chosen]
            speech, self._state[:, chosen] = self._detect(windows[rows, firsts], self._state[:, chosen])
            loudest[rows] = torch.maximum(loudest[rows], speech[:, 0])
        return loudest.tolist()

    def speech(self, slot: int) -> float:
        """The probability that there was speech in the last frame."""
        return self._speech[slot]

    def pauses(self, slot: int) -> list[float]:
        """Pauses in the form of a model's heads, which predict them; these are only measured."""
        return [float(self._silence[slot] >= pause) for pause in PAUSE_LENGTHS]


def _resampling_kernel() -> torch.Tensor:
    """Two windowed-sinc filters, float32[2, 1, TAPS]: from every three samples at 24 kHz they make two at 16 kHz."""
    center = (TAPS - 1) / 2 - 0.75
    offsets = torch.arange(TAPS) - center - torch.tensor([[0.0], [1.5]])
    filters = torch.sinc(CUTOFF * offsets) * torch.cos(torch.pi / 2 * offsets / (TAPS / 2 + 1)).square()
    return (filters / filters.sum(dim=1, keepdim=True))[:, None]
