"""Recordings in any format, encoded by ffmpeg, and their decoding within the test's own process."""

import subprocess
from pathlib import Path

import numpy as np

from inference.messages import SAMPLE_RATE
from speech.batch.decoder.recording import Found, Recording
from tests.support.servers import programs

MAX_SAMPLES = 3600 * SAMPLE_RATE


def encode(file: Path, *arguments: str) -> Path:
    command = [programs.ffmpeg(), "-v", "error", "-y", *arguments, str(file)]
    subprocess.run(command, check=True)
    return file


def sine(file: Path, *arguments: str, seconds: float = 3, frequency: int = 440) -> Path:
    """`frequency` in Hz; `arguments`: options of the output."""
    return encode(file, "-f", "lavfi", "-i", f"sine={frequency}:d={seconds}:r=48000", *arguments)


def decoded(file: Path, channels: int = 1, limit: int = MAX_SAMPLES) -> tuple[np.ndarray, Found]:
    """Return int16[n, channels] at 24 kHz, and what was found in the file."""
    with file.open("rb") as opened:
        recording = Recording(opened, channels)
        pcm = np.concatenate([np.empty((0, channels), np.int16), *recording.decode(limit)])
    return pcm, recording.found


def frequencies(pcm: np.ndarray, seconds: float = 0.5) -> list[int]:
    """The strongest frequency in Hz of each stretch of so many seconds of the first channel; 0 if it is silent."""
    size = round(seconds * SAMPLE_RATE)
    stretches = pcm[: len(pcm) // size * size, 0].reshape(-1, size).astype(float)
    strongest = np.abs(np.fft.rfft(stretches, axis=1)).argmax(axis=1) / seconds
    return [
        round(each) if loud else 0 for each, loud in zip(strongest, np.abs(stretches).max(axis=1) > 300, strict=True)
    ]
