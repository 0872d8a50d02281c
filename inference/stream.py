"""One live job as the inference process sees it: what it has sent and the engine has not taken yet."""

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
    Marker,
    Open,
    Partial,
    Step,
    Text,
    Word,
)
from inference.observability.tracing import SlotTrace

BACKLOG_BYTES = 30 * SAMPLE_RATE * BYTES_PER_SAMPLE
"""Audio held that the engine has not heard; the web side sends far less than this ahead (`speech/live/feed.py`)."""
BACKLOG_CHARACTERS = 20_000
"""Text held that the engine has not taken; the web side sends a few sentences ahead (`speech/synthesis/job.py`)."""

STALLED_AFTER = 15.0
"""Seconds of speech that has no word after which the engine is taken to be stuck with this stream."""


class BadInput(Exception):
    """What came is more than is held for a stream, or nothing for one of its kind."""


class Stream(ABC):
    def __init__(self, request: Open, trace: SlotTrace) -> None:
        self.id = request.stream
        self.trace = trace
        self.reply_to = request.reply_to
        self.request = request
        self.next_seq = 0
        self.sent = count()
        self.last_message_at = time.monotonic()
        self._received = self._taken = 0
        self._markers: deque[tuple[int, int]] = deque()
        self._is_flushed = False

    def receive(self, message: Audio | Text | Marker) -> None:
        """Raises `Unfit`."""
        match message:
            case Marker(id=marker):
                self._markers.append((self._received, marker))
            case _:
                self._enqueue(message)

    @abstractmethod
    def _enqueue(self, message: Audio | Text) -> None: ...

    @property
    @abstractmethod
    def has_input(self) -> bool:
        """The engine has a step to make."""

    @abstractmethod
    def next_input(self) -> Frame | str:
        """What the engine takes in this step."""

    @abstractmethod
    def on_event(self, event: Event) -> None:
        """What the engine tells."""

    @property
    def behind(self) -> int:
        """Frames that wait for the engine."""
        return 0

    @property
    def must_flush(self) -> bool:
        """The engine was given everything before the next marker, and should hear that there is one."""
        return bool(self._markers) and not self._is_flushed and self._markers[0][0] <= self._taken

    def on_flushed(self) -> None:
        self._is_flushed = True

    @property
    def marker_is_due(self) -> bool:
        """Everything that follows from what came before it was told."""
        return self._is_flushed

    def pop_marker(self) -> int:
        self._is_flushed = False
        return self._markers.popleft()[1]

    @property
    def is_stalled(self) -> bool:
        """The engine does not get on with it."""
        return False

    @property
    def request_from_position(self) -> Open:
        """To begin again with what the engine was not given yet."""
        return self.request


class SttStream(Stream):
    """Audio comes in."""

    def __init__(self, request: Open, trace: SlotTrace) -> None:
        super().__init__(request, trace)
        self._backlog = bytearray()
        self._unsettled_speech: deque[int] = deque()  # the last sample of each frame
        self._wordless_speech = 0  # samples that are settled, since the last sign of a word

    def _enqueue(self, message: Audio | Text) -> None:
        if isinstance(message, Text):
            raise BadInput("text came for an engine that listens")
        self._backlog += message.pcm
        self._received += len(message.pcm)
        if len(self._backlog) > BACKLOG_BYTES:
            raise BadInput("audio came faster than the engine hears it")

    @property
    def heard(self) -> int:
        """The sample of the session up to which the engine was given the audio."""
        return self.request.position + self._taken // BYTES_PER_SAMPLE

    @property
    def has_input(self) -> bool:
        if self.must_flush:
            return False  # what came with the marker, after it, waits for the flush
        return len(self._backlog) >= FRAME_BYTES or (bool(self._markers) and self._taken < self._markers[0][0])

    @property
    def behind(self) -> int:
        return len(self._backlog) // FRAME_BYTES

    def next_input(self) -> Frame:
        """float32[1920]; silence fills up the last frame before a marker."""
        pcm = bytes(self._backlog[:FRAME_BYTES])
        del self._backlog[:FRAME_BYTES]
        self._taken += len(pcm)
        return np.frombuffer(pcm.ljust(FRAME_BYTES, b"\0"), "<i2").astype(np.float32) / np.float32(32768)

    def on_event(self, event: Event) -> None:
        match event:
            case Word() | Partial():
                self._wordless_speech = 0
                self._unsettled_speech.clear()
            case Step(sample=sample, final_until=settled, speech=speech):
                if speech > 0.5:
                    self._unsettled_speech.append(sample)
                while self._unsettled_speech and self._unsettled_speech[0] <= settled:
                    self._unsettled_speech.popleft()
                    self._wordless_speech += FRAME_SAMPLES

    @property
    def is_stalled(self) -> bool:
        """The engine has long heard speech without finding words in it, and will find none any more."""
        return self._wordless_speech > STALLED_AFTER * SAMPLE_RATE

    @property
    def request_from_position(self) -> Open:
        return msgspec.structs.replace(self.request, position=self.heard)


class TtsStream(Stream):
    """Text comes in."""

    def __init__(self, request: Open, trace: SlotTrace) -> None:
        super().__init__(request, trace)
        self._backlog = ""
        self._is_busy = False  # the engine has something to say even if no text comes

    def _enqueue(self, message: Audio | Text) -> None:
        if isinstance(message, Audio):
            raise BadInput("audio came for an engine that speaks")
        if not message.text:
            return
        self._backlog += f"{message.text} "
        self._received += len(message.text) + 1
        if len(self._backlog) > BACKLOG_CHARACTERS:
            raise BadInput("text came faster than the engine speaks it")

    @property
    def has_input(self) -> bool:
        return self._is_busy or self._ready > 0

    @property
    def _ready(self) -> int:
        """Characters; what follows a marker waits until everything before it is spoken."""
        return self._markers[0][0] - self._taken if self._markers else len(self._backlog)

    def next_input(self) -> str:
        ready = self._ready
        text, self._backlog = self._backlog[:ready], self._backlog[ready:]
        self._taken += ready
        self._is_busy = False  # unless the step tells something
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
