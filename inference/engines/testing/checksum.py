"""Test engine whose words are a function of the samples: one word per 0.4 s, its text the checksum of that audio.

A single sample missing, doubled or moved shows in the words, so tests compare whole transcripts with the words that the
audio must give. Five words make a segment. Frames of zeros have no voice activity, all others have.
A translation has a prefix before each word.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from zlib import crc32

import numpy as np

from inference.engine import Frame
from inference.messages import FRAME_SAMPLES, SAMPLE_RATE, Endpoint, Event, Open, Partial, Step, Word

WORD_FRAMES = 5
SEGMENT_WORDS = 5


@dataclass
class _StreamState:
    position: int  # of the first sample in `frames`
    segment_start: int
    translates: bool
    frames: list[Frame] = field(default_factory=list)
    segment_words: int = 0


class Checksum:
    def __init__(self, slots: int) -> None:
        self.slots = slots
        self._streams: dict[int, _StreamState] = {}

    def open(self, slot: int, request: Open) -> None:
        self._streams[slot] = _StreamState(request.position, request.position, request.translates)

    def step(self, inputs: Mapping[int, Frame]) -> dict[int, list[Event]]:
        return {slot: self._process(self._streams[slot], frame) for slot, frame in inputs.items()}

    def _process(self, stream: _StreamState, frame: Frame) -> list[Event]:
        stream.frames.append(frame)
        sample = stream.position + len(stream.frames) * FRAME_SAMPLES
        if len(stream.frames) == WORD_FRAMES:
            events: list[Event] = self._word(stream)
        else:
            events = [Partial("…", stream.position / SAMPLE_RATE, sample / SAMPLE_RATE)]
        return [*events, Step(sample, stream.position, float(frame.any()))]

    def _word(self, stream: _StreamState) -> list[Event]:
        audio = np.concatenate(stream.frames)
        end = stream.position + len(audio)
        text = f"english-{checksum(audio)}" if stream.translates else checksum(audio)
        events: list[Event] = [Word(text, stream.position / SAMPLE_RATE, end / SAMPLE_RATE, 1.0)]
        stream.position, stream.frames = end, []
        stream.segment_words += 1
        if stream.segment_words == SEGMENT_WORDS:
            events.append(self._endpoint(stream))
        return events

    def _endpoint(self, stream: _StreamState) -> Endpoint:
        start, stream.segment_start, stream.segment_words = stream.segment_start, stream.position, 0
        return Endpoint(start / SAMPLE_RATE, stream.position / SAMPLE_RATE)

    def flush(self, slot: int) -> list[Event]:
        stream = self._streams[slot]
        events = self._word(stream) if stream.frames else []
        if stream.segment_start < stream.position:
            events.append(self._endpoint(stream))
        return events

    def close(self, slot: int) -> None:
        del self._streams[slot]


def checksum(audio: Frame) -> str:
    """The word for a chunk of audio, float32 as an engine receives it."""
    pcm = np.round(audio * 32768).astype("<i2").tobytes()
    return f"w{crc32(pcm):08x}"
