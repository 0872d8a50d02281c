"""Speech by a synthetic voice, and WAV files for Chromium's fake microphone."""

import wave
from pathlib import Path

import numpy as np
import numpy.typing as npt

from inference.engines import registry
from inference.messages import SAMPLE_RATE, Audio, Open


def microphone_file(path: Path, *parts: str | float) -> Path:
    """Write a file in which texts are spoken, with pauses of so many seconds."""
    audio = [spoken(part) if isinstance(part, str) else np.zeros(round(part * SAMPLE_RATE), np.int16) for part in parts]
    write_wav(path, np.concatenate(audio), SAMPLE_RATE)
    return path


def write_wav(path: Path, samples: npt.NDArray[np.int16], rate: int) -> None:
    """Write a WAV file, mono, 16 bit."""
    with wave.open(str(path), "wb") as wav:
        wav.setnchannels(1)
        wav.setsampwidth(2)
        wav.setframerate(rate)
        wav.writeframes(samples.astype("<i2").tobytes())


def spoken(text: str) -> npt.NDArray[np.int16]:
    """Text spoken by Piper, or by eSpeak where Piper has no wheel: int16[n], mono, 24 kHz."""
    engine = registry.load("piper" if registry.ENGINES["piper"].is_installed else "espeak", 1)
    engine.open(0, Open("test", "", 0.0, 0, "en", "", {"variation": 0.0}))  # without random noise
    engine.flush(0)
    events, more = [], engine.step({0: text})
    while more:
        events += more[0]
        more = engine.step({0: ""})
    engine.close(0)
    return np.frombuffer(b"".join(event.pcm for event in events if isinstance(event, Audio)), "<i2")
