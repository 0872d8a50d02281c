"""A stream that receives audio."""

import msgspec
import numpy as np

from inference.engine import Frame
from inference.messages import (
    BYTES_PER_SAMPLE,
    FRAME_BYTES,
    SAMPLE_RATE,
    Audio,
    Down,
    Open,
    Step,
    Text,
    Word,
)
from inference.observability.tracing import SlotTrace
from inference.streams.base import BadInput, Stream
from inference.streams.wordless_speech import WordlessSpeech

BACKLOG_BYTES = 30 * SAMPLE_RATE * BYTES_PER_SAMPLE
"""Maximum of unprocessed audio; web processes send far less ahead (`speech/live/audio_buffer.py`)."""


class SttStream(Stream):
    """Audio goes to the engine once, and a second time if the engine has stalled on it: the words of the second time
    are new, and what was reported of the first time stays as it is."""

    def __init__(self, request: Open, trace: SlotTrace) -> None:
        super().__init__(request, trace)
        self._backlog = bytearray()
        self._furthest = 0  # bytes that the engine has received at least once
        self._wordless = WordlessSpeech()
        self._reported = Step(request.position, 0, 0.0)

    def receive(self, message: Audio | Text) -> None:
        if isinstance(message, Text):
            raise BadInput("received text for a speech-to-text engine")
        self._backlog += message.pcm
        self._received += len(message.pcm)
        if self._received - self._furthest > BACKLOG_BYTES:
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
        self._wordless.keep(self.position, pcm)
        self._consumed += len(pcm)
        self._furthest = max(self._furthest, self._consumed)
        return np.frombuffer(pcm.ljust(FRAME_BYTES, b"\0"), "<i2").astype(np.float32) / np.float32(32768)

    def on_event(self, event: Down) -> Down | None:
        match event:
            case Word(end=end):
                self._wordless.on_word(round(end * SAMPLE_RATE))
            case Step():
                self._wordless.on_step(event)
                return self._report(event)
        return event

    def _report(self, step: Step) -> Step | None:
        """The step as the client gets it: its positions never go back, and the audio of speech without words is not
        final as long as it may be transcribed again."""
        if step.sample < self._reported.sample:
            return None
        final_until = max(self._reported.final_until, min(step.final_until, self._wordless.final_until))
        words_until = max(self._reported.words_until, step.words_until, step.final_until)
        self._reported = msgspec.structs.replace(step, final_until=final_until, words_until=words_until)
        return self._reported

    def pop_marker(self) -> int:
        self._wordless.drop_audio()  # the client regards everything before the marker as done
        return super().pop_marker()

    @property
    def is_stalled(self) -> bool:
        return self._wordless.is_stalled

    def rewind(self) -> float:
        pcm = self._wordless.take()
        self._backlog[:0] = pcm
        self._consumed -= len(pcm)
        self._is_flushed = False
        return len(pcm) / BYTES_PER_SAMPLE / SAMPLE_RATE

    @property
    def request_from_position(self) -> Open:
        return msgspec.structs.replace(self.request, position=self.position)
