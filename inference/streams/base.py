"""A stream in the inference process: input that was received and that the engine has not processed yet."""

import time
from abc import ABC, abstractmethod
from collections import deque
from itertools import count

from inference.engine import Frame
from inference.messages import Audio, Down, Open, Text
from inference.observability.tracing import SlotTrace


class BadInput(Exception):
    """The input exceeds the backlog limit, or is of the wrong kind for the stream."""


class Stream(ABC):
    def __init__(self, request: Open, trace: SlotTrace) -> None:
        self.id = request.stream
        self.trace = trace
        self.reply_to = request.reply_to
        self.request = request
        self.next_seq = 0
        self.sent = count()
        self.last_message_at = time.monotonic()
        self._received = self._consumed = 0
        self._markers: deque[tuple[int, int]] = deque()
        self._is_flushed = False

    @abstractmethod
    def receive(self, message: Audio | Text) -> None:
        """Add input to the backlog. Raises `BadInput`."""

    def add_marker(self, marker: int) -> None:
        """Flush the engine after the input received so far."""
        self._markers.append((self._received, marker))

    @property
    @abstractmethod
    def has_input(self) -> bool:
        """Whether the next step has input."""

    @abstractmethod
    def next_input(self) -> Frame | str:
        """Remove and return the input of the next step."""

    @abstractmethod
    def on_event(self, event: Down) -> Down | None:
        """Update the state from an event of the engine; return the event to emit, if any."""

    @property
    def behind(self) -> int:
        """Backlog in frames."""
        return 0

    @property
    def must_flush(self) -> bool:
        """Whether the engine has all input before the next marker and is not flushed yet."""
        return bool(self._markers) and not self._is_flushed and self._markers[0][0] <= self._consumed

    def on_flushed(self) -> None:
        self._is_flushed = True

    @property
    def marker_is_due(self) -> bool:
        """Whether all events of the input before the marker were sent."""
        return self._is_flushed

    def pop_marker(self) -> int:
        self._is_flushed = False
        return self._markers.popleft()[1]

    @property
    def is_stalled(self) -> bool:
        """Whether the engine makes no progress on this stream."""
        return False

    def rewind(self) -> float:
        """Go back to the input on which the engine stalled. Returns the seconds of audio that it gets again; 0 if it
        goes on with the input that it did not have yet."""
        return 0.0

    @property
    def request_from_position(self) -> Open:
        """The request that reopens the stream at its first unprocessed input."""
        return self.request
