"""Whether the microphone picks up the reply that the loudspeaker plays.

Browsers cancel echoes, but not always well enough, and engines detect and transcribe even very quiet speech. The
loudness of an echo follows that of the reply over time, in each band of frequencies; that of the user's own speech does
not.
"""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from inference.messages import SAMPLE_RATE

BLOCK = SAMPLE_RATE // 50
"""Samples of one value of the loudness: 20 ms, shorter than a sound of speech."""
BANDS = (150, 600, 1_800, 6_000)
"""Limits in Hz. With one band for all, twice as many windows of another speaker resemble the reply."""
WINDOW = 40
"""Blocks that are compared: 0.8 s. In 0.5 s, a user's speech often resembles the reply by chance."""
LAGS = range(-2, 16)
"""Blocks from the playback to its echo, up to 0.3 s; less than 0 because what clients report is not exact."""
THRESHOLD = 0.6
"""Correlation above which it is an echo. With five recordings and a simulated room, 98 % of the windows of an echo at
-20 dB exceed it, 97 % at -30 dB and 92 % at -40 dB, but 7 % of another speaker's, and 14 % of theirs over an echo."""
MAX_REPORT_DELAY = SAMPLE_RATE // 2
"""Samples of the microphone for which the client has not yet reported what it played. More means that nothing plays."""
MAX_GAP = SAMPLE_RATE // 10
"""Samples; a longer pause begins a new piece of audio."""
SILENCE = -65.0
"""Decibels below full scale of the loudest block and band; quieter windows are not compared."""
FLOOR = 1e-8
"""Power, relative to full scale, to which all less counts as equal: -80 dB."""
HISTORY = 150
"""Blocks kept: 3 s."""


class EchoDetector:
    """Compares what the client has reported as played with the microphone's audio.

    Positions are samples of the session; audio is s16le, mono, 24 kHz.
    """

    def __init__(self) -> None:
        self._reply = _Loudness()
        self._microphone = _Loudness()

    def played(self, position: int, pcm: bytes) -> None:
        """Add audio of the reply that was played from `position`."""
        self._reply.add(position, pcm)

    def recorded(self, position: int, pcm: bytes) -> None:
        """Add audio of the microphone from `position`."""
        self._microphone.add(position, pcm)

    @property
    def is_echo(self) -> bool:
        return self.similarity() > THRESHOLD

    def similarity(self) -> float:
        """Correlation of the loudness of the latest 0.8 s with that of the reply, at the lag at which it is highest: at
        most 1. 0 if one of them is silent or too short, and once nothing was played for a while."""
        reply, microphone = self._reply, self._microphone
        if abs(microphone.end - reply.end) > MAX_REPORT_DELAY:
            return 0.0
        end = min(microphone.end // BLOCK, reply.end // BLOCK + LAGS.start)
        if max(microphone.begin, reply.begin) > (end - WINDOW) * BLOCK:
            return 0.0
        recorded = microphone.levels(end - WINDOW, end)
        played = reply.levels(end - WINDOW - LAGS[-1], end - LAGS.start)
        if min(recorded.max(), played.max()) < SILENCE:
            return 0.0
        recorded = recorded - recorded.mean(axis=0)
        lagged = sliding_window_view(played, WINDOW, axis=0)  # lag, band, block
        lagged = lagged - lagged.mean(axis=2, keepdims=True)
        products = (lagged * recorded.T).sum(axis=(1, 2))
        norms = np.sqrt((lagged**2).sum(axis=(1, 2)) * (recorded**2).sum())
        return float((products / np.maximum(norms, 1e-6)).max())


class _Loudness:
    """The level of each block and band of the latest audio."""

    def __init__(self) -> None:
        self._restart(0)

    def _restart(self, position: int) -> None:
        self.begin = position
        """Sample since which the audio has no gap."""
        self.end = position
        self._levels = np.full((HISTORY, len(BANDS) - 1), 10 * np.log10(FLOOR))
        self._rest: NDArray[np.float64] = np.zeros(position % BLOCK)  # audio of the block that is not complete

    def add(self, position: int, pcm: bytes) -> None:
        """Add audio from `position`. What overlaps with earlier audio is ignored; a gap counts as silence."""
        if abs(position - self.end) > HISTORY * BLOCK:
            self._restart(position)
        if position - self.end > MAX_GAP:
            self.begin = position
        gap = np.zeros(max(0, position - self.end))
        audio = np.frombuffer(pcm, "<i2")[max(0, self.end - position) :] / 32768
        self.end += len(gap) + len(audio)
        audio = np.concatenate([self._rest, gap, audio])
        whole = len(audio) // BLOCK * BLOCK
        self._rest = audio[whole:]
        self._levels = np.concatenate([self._levels, _levels(audio[:whole].reshape(-1, BLOCK))])[-HISTORY:]

    def levels(self, first: int, end: int) -> NDArray[np.float64]:
        """Decibels of the blocks from `first` to before `end`, by band."""
        behind = self.end // BLOCK - HISTORY  # the first block kept
        return self._levels[first - behind : end - behind]


_HANN = np.hanning(BLOCK)
_SCALE = 2 / (BLOCK * (_HANN**2).sum())  # from a band's energy to its mean square
_EDGES = [round(limit * BLOCK / SAMPLE_RATE) for limit in BANDS]


def _levels(blocks: NDArray[np.float64]) -> NDArray[np.float64]:
    """Decibels of each block and band."""
    powers = np.abs(np.fft.rfft(blocks * _HANN, axis=1)[:, : _EDGES[-1]]) ** 2
    return 10 * np.log10(np.add.reduceat(powers, _EDGES[:-1], axis=1) * _SCALE + FLOOR)
