"""Recordings of real speech for tests.

They are not part of the project: SPEECH_AUDIO_DIR names their folder, by default one beside the project.
"""

import os
import re
import subprocess
import wave
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from tests.support.environment import ROOT
from tests.support.servers import programs

FOLDER = Path(os.environ.get("SPEECH_AUDIO_DIR") or ROOT / "../shared/audio").resolve()


class Recording:
    """The recording `NAME.mp3` with its transcript `NAME.txt`, or its first `sentences`, which take `seconds`."""

    def __init__(self, name: str, cache: Path, sentences: int | None = None, seconds: float | None = None) -> None:
        self._mp3 = FOLDER / f"{name}.mp3"
        self._cache = cache
        self._sentences = sentences
        self.seconds = seconds
        if not self._mp3.is_file():
            pytest.skip(
                f"{self._mp3.name} not found in {FOLDER}. Set SPEECH_AUDIO_DIR to the folder of the recordings."
            )

    @cached_property
    def text(self) -> str:
        sentences = re.split(r"(?<=[.!?])\s+", self._mp3.with_suffix(".txt").read_text())
        return " ".join(sentences[: self._sentences])

    def wav(self, rate: int = 48_000, silence_after: float = 0.0) -> Path:
        """Path of a WAV file, mono, 16 bit. `silence_after`, in seconds: a microphone outlasts the speaker."""
        wav = self._cache / f"{self._mp3.stem}-{rate}-{silence_after:g}.wav"
        if not wav.exists():
            limit = ["-t", str(self.seconds)] if self.seconds else []
            ffmpeg = [programs.ffmpeg(), "-nostdin", "-loglevel", "error", *limit, "-i", str(self._mp3)]
            pad = ["-af", f"apad=pad_dur={silence_after}"]
            to_wav = ["-ar", str(rate), "-ac", "1", "-c:a", "pcm_s16le", str(wav)]
            subprocess.run([*ffmpeg, *pad, *to_wav], check=True)
        return wav

    def samples(self, rate: int = 24_000, silence_after: float = 0.0) -> npt.NDArray[np.int16]:
        """int16[n], mono."""
        with wave.open(str(self.wav(rate, silence_after))) as wav:
            return np.frombuffer(wav.readframes(wav.getnframes()), dtype="<i2")
