"""What a microphone records: speech by Piper without silence around it, noises, and the echo of a reply in a room."""

from functools import cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from inference.engine import TtsEngine
from inference.engines import registry
from inference.messages import SAMPLE_RATE, Audio, Open, Word

BLOCK = SAMPLE_RATE // 50
"""Samples, 20 ms."""
AUDIBLE = 40.0
"""Decibels below the loudest block of speech at which it begins and ends."""
FADE = SAMPLE_RATE // 100
"""Samples over which speech that is split between two words fades."""
REVERBERATION = 0.35
"""Seconds in which a small room's echo decays by 60 dB."""

Pcm = NDArray[np.int16]
"""int16[n] at 24 kHz, mono."""
_random = np.random.default_rng(39)


# --- Speech ---------------------------------------------------------------------------------------------------------


@cache
def speech(text: str) -> tuple[Pcm, ...]:
    """The text, spoken in one go; “|” between two words splits it, so that pauses have the right intonation."""
    words: list[str] = []
    splits: list[int] = []
    for word in text.split():
        if word == "|":
            splits.append(len(words))
        else:
            words.append(word)
    pcm, starts = _speak(" ".join(words))
    bounds = [0, *(starts[number] for number in splits), len(pcm)]
    return tuple(_trimmed(pcm[first:last]) for first, last in pairwise(bounds))


@cache
def _engine() -> TtsEngine:
    return registry.load("piper", 1)


def _speak(text: str) -> tuple[Pcm, list[int]]:
    """The audio, and the sample at which each word starts."""
    engine = _engine()
    engine.open(0, Open("benchmark", "", 0.0, 0, "en"))
    engine.flush(0)
    output = []
    while events := engine.step({0: text}).get(0):
        output += events
        text = ""
    engine.close(0)
    pcm = np.frombuffer(b"".join(event.pcm for event in output if isinstance(event, Audio)), "<i2")
    return pcm, [round(event.start * SAMPLE_RATE) for event in output if isinstance(event, Word)]


def _trimmed(pcm: Pcm) -> Pcm:
    loudness = _decibels(pcm)
    audible = np.flatnonzero(loudness > loudness.max() - AUDIBLE)
    trimmed = pcm[audible[0] * BLOCK : (audible[-1] + 1) * BLOCK].astype(np.float32)
    ramp = np.linspace(0, 1, FADE, dtype=np.float32)
    trimmed[:FADE] *= ramp
    trimmed[-FADE:] *= ramp[::-1]
    return trimmed.astype(np.int16)


def _decibels(pcm: Pcm) -> NDArray[np.float64]:
    blocks = pcm[: len(pcm) // BLOCK * BLOCK].reshape(-1, BLOCK) / 32768
    return 10 * np.log10(np.mean(blocks**2, axis=1) + 1e-12)


# --- Noises ---------------------------------------------------------------------------------------------------------


def white_noise(decibels: float, seconds: float) -> Pcm:
    """White noise of this loudness, relative to full scale."""
    noise = _random.standard_normal(int(seconds * SAMPLE_RATE)) * 10 ** (decibels / 20)
    return _int16(noise)


def cough(seconds: float, bursts: int) -> Pcm:
    """Bursts of breath: noise around 1 kHz that rises in 10 ms and decays."""
    time = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    envelope = np.minimum(1, time / 0.01) * np.exp(-time / (seconds / 4))
    kernel = np.sin(2 * np.pi * 1000 * np.arange(48) / SAMPLE_RATE) * np.hanning(48)
    noises = [np.convolve(_random.standard_normal(len(time)), kernel, "same") * envelope for _ in range(bursts)]
    noise = np.concatenate([part for each in noises for part in (each, np.zeros(SAMPLE_RATE // 8))])
    return _int16(noise / np.abs(noise).max() * 0.4)


def key_clicks(count: int) -> Pcm:
    """Clicks of 4 ms, seven in a second."""
    click = np.zeros(SAMPLE_RATE // 7)
    length = SAMPLE_RATE // 250
    click[:length] = _random.standard_normal(length) * np.exp(-np.arange(length) / 20)
    return _int16(np.tile(click / np.abs(click).max() * 0.3, count))


def _int16(audio: NDArray[np.float64]) -> Pcm:
    return (np.clip(audio, -1, 1) * 32767).astype(np.int16)


# --- Echo -----------------------------------------------------------------------------------------------------------


class Echo:
    """What a microphone picks up of the loudspeaker, without an echo canceller."""

    def __init__(self, decibels: float, delay_ms: int) -> None:
        """`decibels`: of the echo, relative to what is played. `delay_ms`: until its first reflection arrives."""
        self._delay = delay_ms * SAMPLE_RATE // 1000
        count = int(REVERBERATION * SAMPLE_RATE / 2)
        room = np.random.default_rng(7).standard_normal(count) * 10 ** (
            -3 * np.arange(count) / SAMPLE_RATE / REVERBERATION
        )
        room *= 0.5 / np.sqrt(np.sum(room**2))
        room[0] += 1
        self._room = room / np.sqrt(np.sum(room**2)) * 10 ** (decibels / 20)
        self.history = self._delay + count
        """Samples of the past that still echo."""

    def of(self, output: Pcm) -> NDArray[np.float64]:
        """Echo in the microphone of an output; without that of its first `history` samples, before which more was
        played."""
        played = output[: len(output) - self._delay].astype(np.float64)
        size = 1 << (len(played) + len(self._room)).bit_length()
        echo = np.fft.irfft(np.fft.rfft(played, size) * np.fft.rfft(self._room, size))
        return np.asarray(echo[len(self._room) : len(played)])
