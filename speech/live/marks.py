"""Where in its audio a speaker asked to be told that everything before was heard."""

from collections import deque

from inference.messages import FRAME_SAMPLES
from speech.errors import TooFast

AT_MOST = 100


class Marks:
    """In the order in which they were set. An engine is told of each, and again if it is lost before it has met it.

    Only whole frames count, from where the slot began: a rest waits for what makes it one, so that silence put in
    its place moves nothing that follows.
    """

    def __init__(self) -> None:
        self._set: deque[tuple[int, int]] = deque()  # the sample before which each lies, and its id
        self._sent = 0  # how many of them the engine was told
        self._base = 0

    def begin(self, sample: int) -> None:
        """An engine was found, and hears from this sample on."""
        self._base, self._sent = sample, 0

    def set(self, sample: int, id: int) -> None:
        """Raises `TooFast`."""
        if len(self._set) >= AT_MOST:
            raise TooFast("Too many marks are waiting.", f"The bound is {AT_MOST}.")
        self._set.append((sample, id))

    @property
    def are_met(self) -> bool:
        return not self._set

    @property
    def next(self) -> int | None:
        """The sample before which the engine should be told of a mark."""
        return self.whole_frames(self._set[self._sent][0]) if self._sent < len(self._set) else None

    def note_sent(self) -> None:
        self._sent += 1

    def meet(self) -> tuple[int, int]:
        """The engine has met the first: the sample before which everything is done, and the id."""
        sample, id = self._set.popleft()
        self._sent -= 1
        return self.whole_frames(sample), id

    def whole_frames(self, sample: int) -> int:
        """Where the last whole frame before a sample ends."""
        return sample - (sample - self._base) % FRAME_SAMPLES
