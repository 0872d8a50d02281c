"""Audio of a live stream: sent to the engine that has its slot, and held until its words are stored."""

import time
from collections import deque

from inference.messages import BYTES_PER_SAMPLE, FRAME_SAMPLES, SAMPLE_RATE, Audio, Marker
from speech.errors import TooFast
from speech.gateway.connection import Connection

MAX_AHEAD = 4 * SAMPLE_RATE
"""Samples sent that the engine has not processed: keeps it busy while it catches up, and the queues short."""
MAX_FLUSHES = 100
END, FLUSH = 0, 1
"""Ids of the markers sent to an engine: no audio follows this one, or more does."""


class AudioBuffer:
    """Samples that can be sent again, from the beginning of what is not stored, when an engine is lost.

    The client can ask at any position to be notified when everything before it is processed (a flush). An engine gets
    a marker for each flush, again if it is lost before it has reached it. Only whole frames count, from where the slot
    began: a rest waits for the samples that make it one, so that silence put in its place moves nothing that follows.
    """

    def __init__(self, position: int) -> None:
        """`position`: sample of the session at which the audio begins."""
        self.start = position
        """First sample held."""
        self.processed = position
        """The engine has processed everything before this sample."""
        self.is_complete = False
        """No audio follows for now: the end is sent too, even if it is less than a frame."""
        self.is_ended = False
        """The engine has been sent the marker that no audio follows..."""
        self.ended_at = position
        """...after this sample. If more came, it is for another slot."""
        self._pcm = bytearray()
        self._connection: Connection | None = None
        self._slot_start = self._sent = position
        self._flushes: deque[tuple[int, int]] = deque()  # the sample before which each lies, and its id
        self._flushes_sent = 0
        self._active_at = time.monotonic()

    # --- Samples --------------------------------------------------------------------------------------------------

    @property
    def end(self) -> int:
        """The sample after the last one held."""
        return self.start + len(self._pcm) // BYTES_PER_SAMPLE

    def append(self, pcm: bytes) -> None:
        self._pcm += pcm
        self._active_at = time.monotonic()
        self.send()

    def keep_slot(self) -> None:
        """More audio follows, but not now: renew the slot's lease."""
        self._active_at = time.monotonic()
        if self._connection and not self.is_ended:
            self._connection.send(Audio(b""))

    def on_processed(self, sample: int) -> None:
        self.processed = sample
        self._active_at = time.monotonic()

    @property
    def idle_for(self) -> float:
        """Seconds since something last came or was processed; 0 while something is not processed."""
        is_processed = self.end - self.processed < FRAME_SAMPLES and not self._flushes
        return time.monotonic() - self._active_at if is_processed else 0.0

    def read(self, first: int, end: int) -> bytes:
        """The samples from `first` to before `end`, as far as they are held."""
        return bytes(self._pcm[self._offset(first) : self._offset(end)])

    def discard_before(self, sample: int) -> None:
        offset = min(self._offset(sample), len(self._pcm))
        del self._pcm[:offset]
        self.start += offset // BYTES_PER_SAMPLE

    def _offset(self, sample: int) -> int:
        return max(0, sample - self.start) * BYTES_PER_SAMPLE

    # --- Flushes --------------------------------------------------------------------------------------------------

    @property
    def pending_flushes(self) -> int:
        return len(self._flushes)

    def flush(self, id: int) -> None:
        """Request a flush of the audio held so far. Raises `TooFast`."""
        if len(self._flushes) >= MAX_FLUSHES:
            raise TooFast("Too many flushes are pending.", f"The limit is {MAX_FLUSHES}.")
        self._flushes.append((self.end, id))
        self._active_at = time.monotonic()
        self.send()

    def complete_flush(self) -> tuple[int, int]:
        """The engine has reached the first flush: the sample before which everything is processed, and the id."""
        sample, id = self._flushes.popleft()
        self._flushes_sent -= 1
        return self._whole_frames(sample), id

    # --- The engine -----------------------------------------------------------------------------------------------

    @property
    def has_slot(self) -> bool:
        return self._connection is not None

    def attach(self, connection: Connection, sample: int) -> None:
        """Send to a slot that was granted, from this sample on."""
        self._connection = connection
        self._slot_start = self._sent = self.processed = sample
        self._flushes_sent = 0
        self.is_ended = False

    def lose_slot(self) -> None:
        self._connection = None

    def release_slot(self) -> None:
        if self._connection:
            self._connection.close()
            self._connection = None

    def send(self) -> None:
        """Send what the engine should get now: audio, the markers of flushes, and the marker after the last of it."""
        connection = self._connection
        if connection is None or self.is_ended:
            return
        while self._flushes_sent < len(self._flushes):
            position = self._whole_frames(self._flushes[self._flushes_sent][0])
            self._send_until(connection, position)
            if self._sent < position:
                return
            connection.send(Marker(FLUSH))
            self._flushes_sent += 1
        end = self.end if self.is_complete else self._whole_frames(self.end)  # a flush may yet leave the rest behind
        self._send_until(connection, end)
        if self.is_complete and self._sent == end:
            connection.send(Marker(END))
            self.is_ended, self.ended_at = True, end

    def _send_until(self, connection: Connection, sample: int) -> None:
        end = min(sample, self.processed + MAX_AHEAD)
        if end > self._sent:
            connection.send(Audio(self.read(self._sent, end)))
            self._sent = end

    def _whole_frames(self, sample: int) -> int:
        """End of the last whole frame before a sample."""
        return sample - (sample - self._slot_start) % FRAME_SAMPLES
