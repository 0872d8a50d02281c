"""The end of a stream's audio: what was fed and whose words are not stored yet. It can be sent again."""

from inference.messages import BYTES_PER_SAMPLE


class Tail:
    def __init__(self, position: int) -> None:
        self._start = position
        self._pcm = bytearray()

    @property
    def start(self) -> int:
        """The first sample held."""
        return self._start

    @property
    def end(self) -> int:
        """The sample after the last one held."""
        return self._start + len(self._pcm) // BYTES_PER_SAMPLE

    def append(self, pcm: bytes) -> None:
        self._pcm += pcm

    def read(self, first: int, end: int) -> bytes:
        """The samples from `first` to before `end`, as far as they are held."""
        return bytes(self._pcm[self._offset(first) : self._offset(end)])

    def discard_before(self, sample: int) -> None:
        offset = min(self._offset(sample), len(self._pcm))
        del self._pcm[:offset]
        self._start += offset // BYTES_PER_SAMPLE

    def _offset(self, sample: int) -> int:
        return max(0, sample - self._start) * BYTES_PER_SAMPLE
