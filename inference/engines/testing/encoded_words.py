"""Test engine for conversations: the audio contains its words, and everything else of it is silence.

Like Moonshine it returns partial texts while the user speaks and after a short silence, and final words only at the end
of a segment: after a longer silence, or with a flush.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from inference.engine import Frame
from inference.messages import FRAME_SAMPLES, SAMPLE_RATE, Endpoint, Event, Open, Partial, Step, Word

MARK = 12_345
"""First sample of a frame of speech. The next ones are the length of the word that begins there, and its characters."""
WORD_FRAMES = 3
LULL_FRAMES = 3
SEGMENT_END_FRAMES = 9


@dataclass
class _StreamState:
    sample: int  # everything before it is processed
    segment_start: int = 0
    words: list[tuple[str, int, int]] = field(default_factory=list)  # text, start, end in samples
    quiet_frames: int = 0


class EncodedWords:
    def __init__(self, slots: int) -> None:
        self.slots = slots
        self._streams: dict[int, _StreamState] = {}

    def open(self, slot: int, request: Open) -> None:
        self._streams[slot] = _StreamState(request.position)

    def step(self, inputs: Mapping[int, Frame]) -> dict[int, list[Event]]:
        return {slot: self._process(self._streams[slot], frame) for slot, frame in inputs.items()}

    def _process(self, stream: _StreamState, frame: Frame) -> list[Event]:
        start, stream.sample = stream.sample, stream.sample + FRAME_SAMPLES
        samples = np.round(frame * 32768).astype(int)
        is_speech = bool(samples[0] == MARK)
        events: list[Event] = []
        if is_speech:
            events = self._add(stream, start, "".join(map(chr, samples[2 : 2 + samples[1]])))
        elif stream.words:
            stream.quiet_frames += 1
            if stream.quiet_frames == LULL_FRAMES:
                events = [self._partial(stream)]
            elif stream.quiet_frames == SEGMENT_END_FRAMES:
                events = self._finals(stream)
        final_until = stream.segment_start if stream.words else stream.sample
        return [*events, Step(stream.sample, final_until, float(is_speech))]

    def _add(self, stream: _StreamState, start: int, word: str) -> list[Event]:
        stream.quiet_frames = 0
        if not stream.words:
            stream.segment_start = start
        if word:
            stream.words.append((word, start, stream.sample))
        elif stream.words:
            text, word_start, _ = stream.words[-1]
            stream.words[-1] = text, word_start, stream.sample
        return [self._partial(stream)] if stream.words else []

    def _partial(self, stream: _StreamState) -> Partial:
        text = " ".join(word for word, _, _ in stream.words)
        return Partial(text, stream.segment_start / SAMPLE_RATE, stream.sample / SAMPLE_RATE)

    def _finals(self, stream: _StreamState) -> list[Event]:
        words = [Word(text, start / SAMPLE_RATE, end / SAMPLE_RATE, 1.0) for text, start, end in stream.words]
        stream.words, stream.quiet_frames = [], 0
        return [*words, Endpoint(words[0].start, words[-1].end)]

    def flush(self, slot: int) -> list[Event]:
        stream = self._streams[slot]
        return self._finals(stream) if stream.words else []

    def close(self, slot: int) -> None:
        del self._streams[slot]


def spoken(text: str, frames_per_word: int = WORD_FRAMES) -> bytes:
    """Audio that contains the words of a text: s16le, 24 kHz."""
    return b"".join(_word(word, frames_per_word) for word in text.split())


def silence(seconds: float) -> bytes:
    """Whole frames of silence."""
    return bytes(2 * FRAME_SAMPLES * round(seconds * SAMPLE_RATE / FRAME_SAMPLES))


def _word(word: str, frames: int) -> bytes:
    samples = np.zeros((frames, FRAME_SAMPLES), "<i2")
    samples[:, 0] = MARK
    samples[0, 1 : 2 + len(word)] = [len(word), *map(ord, word)]
    return samples.tobytes()
