"""A stream in the inference process: input that was received and that the engine has not processed yet."""

import time
from abc import ABC, abstractmethod
from collections import deque
from itertools import count

import msgspec
import numpy as np

from inference.engine import Frame
from inference.messages import (
    BYTES_PER_SAMPLE,
    FRAME_BYTES,
    FRAME_SAMPLES,
    SAMPLE_RATE,
    Audio,
    Event,
    Kind,
    Open,
    Partial,
    Step,
    Text,
    Word,
)
from inference.observability.tracing import SlotTrace

BACKLOG_BYTES = 30 * SAMPLE_RATE * BYTES_PER_SAMPLE
"""Maximum of unprocessed audio; web processes send far less ahead (`speech/live/audio_buffer.py`)."""
BACKLOG_CHARACTERS = 20_000
"""Maximum of unprocessed text; web processes send a few sentences ahead (`speech/synthesis/job.py`)."""

STALLED_AFTER = 15.0
"""Seconds of speech without a word after which the engine is considered stalled on this stream."""


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
    def on_event(self, event: Event) -> None:
        """Update the state from an event of the engine."""

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

    @property
    def request_from_position(self) -> Open:
        """The request that reopens the stream at its first unprocessed input."""
        return self.request


class SttStream(Stream):
    """A stream that receives audio."""

    def __init__(self, request: Open, trace: SlotTrace) -> None:
        super().__init__(request, trace)
        self._backlog = bytearray()
        self._pending_speech: deque[int] = deque()  # last sample of each speech frame that may still get words
        self._wordless_speech = 0  # final samples of speech since the last word or partial

    def receive(self, message: Audio | Text) -> None:
        if isinstance(message, Text):
            raise BadInput("received text for a speech-to-text engine")
        self._backlog += message.pcm
        self._received += len(message.pcm)
        if len(self._backlog) > BACKLOG_BYTES:
            raise BadInput("audio arrived faster than the engine can process it")

    @property
    def position(self) -> int:
        """The session's first sample that the engine has not received."""
        return self.request.position + self._consumed // BYTES_PER_SAMPLE

    @property
    def has_input(self) -> bool:
        if self.must_flush:
            return False  # input after the marker waits for the flush
        return len(self._backlog) >= FRAME_BYTES or (bool(self._markers) and self._consumed < self._markers[0][0])

    @property
    def behind(self) -> int:
        return len(self._backlog) // FRAME_BYTES

    def next_input(self) -> Frame:
        """float32[1920]; the last frame before a marker is padded with silence."""
        pcm = bytes(self._backlog[:FRAME_BYTES])
        del self._backlog[:FRAME_BYTES]
        self._consumed += len(pcm)
        return np.frombuffer(pcm.ljust(FRAME_BYTES, b"\0"), "<i2").astype(np.float32) / np.float32(32768)

    def on_event(self, event: Event) -> None:
        match event:
            case Word() | Partial():
                self._wordless_speech = 0
                self._pending_speech.clear()
            case Step(sample=sample, final_until=final_until, speech=speech):
                if speech > 0.5:
                    self._pending_speech.append(sample)
                while self._pending_speech and self._pending_speech[0] <= final_until:
                    self._pending_speech.popleft()
                    self._wordless_speech += FRAME_SAMPLES

    @property
    def is_stalled(self) -> bool:
        """Whether a long stretch of speech has no words and will get none."""
        return self._wordless_speech > STALLED_AFTER * SAMPLE_RATE

    @property
    def request_from_position(self) -> Open:
        return msgspec.structs.replace(self.request, position=self.position)


class TtsStream(Stream):
    """A stream that receives text."""

    def __init__(self, request: Open, trace: SlotTrace) -> None:
        super().__init__(request, trace)
        self._backlog = ""
        self._is_busy = False  # the engine has output left even without new text

    def receive(self, message: Audio | Text) -> None:
        if isinstance(message, Audio):
            raise BadInput("received audio for a text-to-speech engine")
        if not message.text:
            return
        self._backlog += f"{message.text} "
        self._received += len(message.text) + 1
        if len(self._backlog) > BACKLOG_CHARACTERS:
            raise BadInput("text arrived faster than the engine can speak it")

    @property
    def has_input(self) -> bool:
        return self._is_busy or self._ready > 0

    @property
    def _ready(self) -> int:
        """Characters that may be sent; text after a marker waits until everything before it is spoken."""
        return self._markers[0][0] - self._consumed if self._markers else len(self._backlog)

    def next_input(self) -> str:
        ready = self._ready
        text, self._backlog = self._backlog[:ready], self._backlog[ready:]
        self._consumed += ready
        self._is_busy = False  # unless the step returns events
        return text

    def on_event(self, event: Event) -> None:
        self._is_busy = True

    def on_flushed(self) -> None:
        super().on_flushed()
        self._is_busy = True

    @property
    def marker_is_due(self) -> bool:
        return self._is_flushed and not self._is_busy


def stream_for(kind: Kind, request: Open, engine: str = "") -> Stream:
    return (TtsStream if kind == "tts" else SttStream)(request, SlotTrace(request, engine, kind))
