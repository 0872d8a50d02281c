"""Voice activity detection for models without pause-prediction heads: Silero's detector, over all streams at once."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import soxr
import torch
from numpy.typing import NDArray

from inference.engine import Frame
from inference.messages import FRAME_SAMPLES, PAUSE_LENGTHS, SAMPLE_RATE

RATE = 16_000  # Hz
WINDOW = 512
CONTEXT = 64
"""Samples of the previous window that the detector gets before each window."""
THRESHOLD = 0.5
FRAME_SECONDS = FRAME_SAMPLES / SAMPLE_RATE


@dataclass
class _Stream:
    resampler: soxr.ResampleStream = field(
        default_factory=lambda: soxr.ResampleStream(SAMPLE_RATE, RATE, 1, dtype="float32", quality="MQ")
    )
    unprocessed: NDArray[np.float32] = field(default_factory=lambda: np.zeros(0, np.float32))
    context: NDArray[np.float32] = field(default_factory=lambda: np.zeros(CONTEXT, np.float32))
    state: torch.Tensor = field(default_factory=lambda: torch.zeros(2, 1, 128))
    speech: float = 0.0
    silence: float = 0.0  # seconds since the last speech

    def process(self, frame: Frame) -> int:
        """Resample the frame; return the number of windows that are ready."""
        self.unprocessed = np.concatenate((self.unprocessed, self.resampler.resample_chunk(frame)))
        return len(self.unprocessed) // WINDOW

    def next_window(self) -> NDArray[np.float32]:
        window = np.concatenate((self.context, self.unprocessed[:WINDOW]))
        self.unprocessed, self.context = self.unprocessed[WINDOW:], window[-CONTEXT:]
        return window

    def record(self, speech: float) -> None:
        self.speech = speech
        self.silence = 0.0 if speech >= THRESHOLD else self.silence + FRAME_SECONDS


class VoiceActivity:
    def __init__(self) -> None:
        package = find_spec("silero_vad")  # not imported: that would limit torch to one thread
        if package is None or package.origin is None:
            raise ModuleNotFoundError("silero_vad")
        path = Path(package.origin).parent / "data" / "silero_vad.jit"
        self._detect = torch.jit.load(path, map_location="cpu")._model
        self._streams: dict[int, _Stream] = {}

    def open(self, slot: int) -> None:
        self._streams[slot] = _Stream()

    def process(self, frames: Mapping[int, Frame]) -> None:
        ready = {slot: self._streams[slot].process(frame) for slot, frame in frames.items()}
        loudest = dict.fromkeys(frames, 0.0)
        for number in range(max(ready.values(), default=0)):
            slots = [slot for slot, windows in ready.items() if windows > number]
            for slot, speech in zip(slots, self._process_windows([self._streams[slot] for slot in slots]), strict=True):
                loudest[slot] = max(loudest[slot], speech)
        for slot, speech in loudest.items():
            self._streams[slot].record(speech)

    def _process_windows(self, streams: list[_Stream]) -> list[float]:
        windows = torch.from_numpy(np.stack([stream.next_window() for stream in streams]))
        with torch.no_grad():
            speech, states = self._detect(windows, torch.cat([stream.state for stream in streams], dim=1))
        for stream, state in zip(streams, states.split(1, dim=1), strict=True):
            stream.state = state
        return [float(value) for value in speech[:, 0]]

    def speech(self, slot: int) -> float:
        """The probability that there was speech in the last frame."""
        return self._streams[slot].speech

    def pauses(self, slot: int) -> list[float]:
        """Pauses in the form of a model's heads, which predict them; these are only measured."""
        return [float(self._streams[slot].silence >= pause) for pause in PAUSE_LENGTHS]
