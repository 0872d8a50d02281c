"""What a stream is fed: sent, with its marks, to the engine that has the slot now, and held until it is stored."""

from inference.messages import SAMPLE_RATE, Audio, Marker
from speech.gateway.connection import Connection
from speech.live.marks import Marks
from speech.live.tail import Tail

MAX_AHEAD = 4 * SAMPLE_RATE
"""Samples sent that the engine has not heard: keeps it busy while it catches up, and the queues short."""
END, FLUSH = 0, 1
"""The ids of markers on their way to an engine: nothing follows this one, or more does."""


class Feed(Tail):
    def __init__(self, position: int) -> None:
        """`position`: of the first sample, in the session."""
        super().__init__(position)
        self.flushes = Marks()
        self._connection: Connection | None = None
        self._sent = self._processed = position
        self._is_ended = False

    def flush(self, id: int) -> None:
        """Here, after what was fed so far. Raises `TooFast`."""
        self.flushes.set(self.end, id)

    @property
    def has_slot(self) -> bool:
        return self._connection is not None

    @property
    def is_ended(self) -> bool:
        """The engine was told that nothing follows."""
        return self._is_ended

    def begin(self, connection: Connection, sample: int) -> None:
        """A slot was found, and hears from this sample on."""
        self._connection = connection
        self._sent = self._processed = sample
        self._is_ended = False
        self.flushes.begin(sample)

    def lose_slot(self) -> None:
        self._connection = None

    def release_slot(self) -> None:
        if self._connection:
            self._connection.close()
            self._connection = None

    @property
    def processed(self) -> int:
        return self._processed

    def set_processed(self, sample: int) -> None:
        """The engine has heard what is before it."""
        self._processed = sample

    def pump(self, is_all: bool) -> None:
        """Send what the engine should get now: audio and, when that `is_all`, the marker after the last of it."""
        if self._connection is None or self._is_ended:
            return
        while (place := self.flushes.next) is not None:
            self._send_until(self._connection, place)
            if self._sent < place:
                return
            self._connection.send(Marker(FLUSH))
            self.flushes.note_sent()
        if not is_all:
            self._send_until(
                self._connection, self.flushes.whole_frames(self.end)
            )  # the next may leave the rest behind
            return
        self._send_until(self._connection, self.end)
        if self._sent == self.end:
            self._connection.send(Marker(END))
            self._is_ended = True

    def _send_until(self, connection: Connection, sample: int) -> None:
        end = min(sample, self._processed + MAX_AHEAD)
        if end > self._sent:
            connection.send(Audio(self.read(self._sent, end)))
            self._sent = end
