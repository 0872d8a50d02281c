"""WAV files for Chromium's fake microphone, spoken by Piper."""

import wave
from pathlib import Path

import numpy as np
import numpy.typing as npt

from inference.engines import registry
from inference.messages import SAMPLE_RATE, Audio, Open


def microphone_file(path: Path, *parts: str | float) -> Path:
    """Write a file in which texts are spoken, with pauses of so many seconds."""
    audio = [spoken(part) if isinstance(part, str) else np.zeros(round(part * SAMPLE_RATE), np.int16) for part in parts]
    with wave.open(str(path), "wb") as wav:
        wav.setnchannels(1)
        wav.setsampwidth(2)
        wav.setframerate(SAMPLE_RATE)
        wav.writeframes(np.concatenate(audio).astype("<i2").tobytes())
    return path


def spoken(text: str) -> npt.NDArray[np.int16]:
    """int16[n], mono, 24 kHz."""
    engine = registry.load("piper", 1)
    engine.open(0, Open("test", "", 0.0, 0, "en"))
    engine.flush(0)
    events, more = [], engine.step({0: text})
    while more:
        events += more[0]
        more = engine.step({0: ""})
    engine.close(0)
    return np.frombuffer(b"".join(event.pcm for event in events if isinstance(event, Audio)), "<i2")
