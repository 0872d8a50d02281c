"""Mono from two channels that may cancel each other.

If one channel is the inverse of the other, as after a wrongly wired cable, their mean is silence. So each block is
judged by itself: where the mean has less than a tenth of the power of the louder channel, that channel is taken in its
place, until the mean has a fifth again. Speakers on one channel each, or all at once, give a mean with a quarter of the
power at least. From one choice to another the audio fades, so that nothing clicks.
"""

import numpy as np

BLOCK = 4_800
"""Samples, 0.2 s."""
FADE = 480
"""Samples, 20 ms."""
CANCELED, RESTORED = 0.1, 0.2
"""Power of the mean, as a share of the louder channel's."""
LOUDER = 2.0
"""Ratio of the channels' power from which the other one is taken."""
INAUDIBLE = 10.0**2
"""Power, of samples in 16 bits: -70 dB. A block below it changes nothing."""
PAIRS = ((0, 0), (1, 1), (0, 1))
MEAN, LEFT, RIGHT = np.array([[0.5, 0.5], [1.0, 0.0], [0.0, 1.0]], np.float32)


class Downmix:
    def __init__(self, block: int = BLOCK, memory: float = 0.0) -> None:
        """A live stream has short blocks of so many samples; they are judged together with those before, whose power
        has `memory` as weight in each one's."""
        self.canceled = 0
        """Samples where the channels canceled each other."""
        self._block, self._memory = block, memory
        self._powers: np.ndarray = np.zeros(3)
        self._pieces: list[np.ndarray] = []  # of the next block
        self._size = 0  # samples
        self._weights: np.ndarray | None = None

    def push(self, pcm: np.ndarray) -> np.ndarray:
        """`pcm`: int16[n, 2]. Return int16[m, 1]: of the blocks that are complete."""
        self._pieces.append(pcm)
        self._size += len(pcm)
        if self._size < self._block:
            return np.empty((0, 1), np.int16)
        pcm = np.concatenate(self._pieces)
        whole = len(pcm) // self._block * self._block
        self._pieces, self._size = [pcm[whole:]], len(pcm) - whole
        return np.concatenate([self._mix(pcm[start : start + self._block]) for start in range(0, whole, self._block)])

    def flush(self) -> np.ndarray:
        rest, self._pieces, self._size = self._pieces, [], 0
        pcm = np.concatenate(rest) if rest else np.empty((0, 2), np.int16)
        return self._mix(pcm) if len(pcm) else np.empty((0, 1), np.int16)

    def _mix(self, block: np.ndarray) -> np.ndarray:
        channels = np.ascontiguousarray(block.T, np.float32)
        previous, self._weights = self._weights, self._choose(channels)
        mixed = _weighted(channels, self._weights)
        if previous is not None and previous is not self._weights:
            fade = np.linspace(1, 0, min(FADE, len(block)), dtype=np.float32)
            mixed[: len(fade)] += fade * _weighted(channels[:, : len(fade)], previous - self._weights)
        return np.rint(mixed).astype(np.int16)[:, None]

    def _choose(self, channels: np.ndarray) -> np.ndarray:
        """`channels`: float32[2, n]."""
        before = MEAN if self._weights is None else self._weights
        left, right, product = (np.vdot(channels[a], channels[b]) / channels.shape[1] for a, b in PAIRS)
        powers = np.array([left, right, (left + right + 2 * product) / 4])  # the last one: of the mean
        self._powers = left, right, mean = self._memory * self._powers + (1 - self._memory) * powers
        louder = max(left, right)
        if louder < INAUDIBLE:
            return before
        if mean > (CANCELED if before is MEAN else RESTORED) * louder:
            return MEAN
        self.canceled += channels.shape[1]
        if before is MEAN:
            return LEFT if left >= right else RIGHT
        other, current = (right, left) if before is LEFT else (left, right)
        if other > LOUDER * current:
            return RIGHT if before is LEFT else LEFT
        return before


def _weighted(channels: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The sum; a product of matrices would start threads."""
    return channels[0] * weights[0] + channels[1] * weights[1]
