"""Real speech to speak to the site with.

It is not part of the project: SPEECH_AUDIO_DIR names the folder that has it, beside the project if unset.
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
    """`NAME.mp3` with what is said in it in `NAME.txt`; or the `sentences` that it begins with, and their `seconds`."""

    def __init__(self, name: str, cache: Path, sentences: int | None = None, seconds: float | None = None) -> None:
        self._mp3 = FOLDER / f"{name}.mp3"
        self._cache = cache
        self._sentences = sentences
        self.seconds = seconds
        if not self._mp3.is_file():
            pytest.skip(f"There is no {self._mp3.name} in {FOLDER}. SPEECH_AUDIO_DIR names the folder of the speech.")

    @cached_property
    def text(self) -> str:
        sentences = re.split(r"(?<=[.!?])\s+", self._mp3.with_suffix(".txt").read_text())
        return " ".join(sentences[: self._sentences])

    def wav(self, rate: int = 48_000, silence_after: float = 0.0) -> Path:
        """Mono and 16 bit. `silence_after` in seconds: a microphone goes on when the speaker is done."""
        wav = self._cache / f"{self._mp3.stem}-{rate}-{silence_after:g}.wav"
        if not wav.exists():
            begin = ["-t", str(self.seconds)] if self.seconds else []
            ffmpeg = [programs.ffmpeg(), "-nostdin", "-loglevel", "error", *begin, "-i", str(self._mp3)]
            pad = ["-af", f"apad=pad_dur={silence_after}"]
            to_wav = ["-ar", str(rate), "-ac", "1", "-c:a", "pcm_s16le", str(wav)]
            subprocess.run([*ffmpeg, *pad, *to_wav], check=True)
        return wav

    def samples(self, rate: int = 24_000, silence_after: float = 0.0) -> npt.NDArray[np.int16]:
        """int16[n], mono."""
        with wave.open(str(self.wav(rate, silence_after))) as wav:
            return np.frombuffer(wav.readframes(wav.getnframes()), dtype="<i2")
