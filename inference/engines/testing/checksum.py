"""Words that are a function of the samples: one for every 0.4 s, its text the checksum of that audio.

A single sample missing, doubled or moved shows in the words, so tests compare whole transcripts with what the audio
must give. Five words make an utterance.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from zlib import crc32

import numpy as np

from inference.engine import Frame
from inference.messages import FRAME_SAMPLES, SAMPLE_RATE, Endpoint, Event, Open, Partial, Step, Word

WORD_FRAMES = 5
UTTERANCE_WORDS = 5


@dataclass
class _StreamState:
    position: int  # of the first of `samples`
    utterance_start: int
    samples: list[Frame] = field(default_factory=list)
    utterance_words: int = 0


class Checksum:
    def __init__(self, slots: int) -> None:
        self.slots = slots
        self._streams: dict[int, _StreamState] = {}

    def open(self, slot: int, request: Open) -> None:
        self._streams[slot] = _StreamState(request.position, request.position)

    def step(self, inputs: Mapping[int, Frame]) -> dict[int, list[Event]]:
        return {slot: self._process(self._streams[slot], frame) for slot, frame in inputs.items()}

    def _process(self, heard: _StreamState, frame: Frame) -> list[Event]:
        heard.samples.append(frame)
        sample = heard.position + len(heard.samples) * FRAME_SAMPLES
        if len(heard.samples) == WORD_FRAMES:
            events: list[Event] = self._word(heard)
        else:
            events = [Partial("…", heard.position / SAMPLE_RATE, sample / SAMPLE_RATE)]
        return [*events, Step(sample, heard.position, 1.0)]

    def _word(self, heard: _StreamState) -> list[Event]:
        audio = np.concatenate(heard.samples)
        end = heard.position + len(audio)
        events: list[Event] = [Word(checksum(audio), heard.position / SAMPLE_RATE, end / SAMPLE_RATE, 1.0)]
        heard.position, heard.samples = end, []
        heard.utterance_words += 1
        if heard.utterance_words == UTTERANCE_WORDS:
            events.append(self._endpoint(heard))
        return events

    def _endpoint(self, heard: _StreamState) -> Endpoint:
        start, heard.utterance_start, heard.utterance_words = heard.utterance_start, heard.position, 0
        return Endpoint(start / SAMPLE_RATE, heard.position / SAMPLE_RATE)

    def flush(self, slot: int) -> list[Event]:
        heard = self._streams[slot]
        events = self._word(heard) if heard.samples else []
        if heard.utterance_start < heard.position:
            events.append(self._endpoint(heard))
        return events

    def close(self, slot: int) -> None:
        del self._streams[slot]


def checksum(audio: Frame) -> str:
    """The word for a stretch of audio, float32 as an engine hears it."""
    pcm = np.round(audio * 32768).astype("<i2").tobytes()
    return f"w{crc32(pcm):08x}"
