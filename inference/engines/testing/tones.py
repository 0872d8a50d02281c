"""Test engine whose speech is a function of the words: each word is 0.4 s of noise that is unique to it.

A word missing, doubled or cut shows in the samples, so tests compare all of the audio with what the text must give.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from zlib import crc32

import numpy as np

from inference.messages import FRAME_SAMPLES, SAMPLE_RATE, Audio, Event, Open, Step, Voice, Word

WORD_FRAMES = 5
WORD_SAMPLES = WORD_FRAMES * FRAME_SAMPLES


@dataclass
class _StreamState:
    position: int
    voice: str
    frames_per_word: int
    words: deque[str] = field(default_factory=deque)
    unsent: bytes = b""  # audio of the current word


class Tones:
    voices = [
        Voice("high", "High", "en-US", "female"),
        Voice("low", "Low", "en-US", "male", license="CC BY 4.0"),
        Voice("bas", "Bas", "fr-FR", "male", license="CC BY-NC 4.0"),
    ]

    def __init__(self, slots: int) -> None:
        self.slots = slots
        self._streams: dict[int, _StreamState] = {}

    def open(self, slot: int, request: Open) -> None:
        frames = round(WORD_FRAMES / request.controls.get("speed", 1.0))
        self._streams[slot] = _StreamState(request.position, request.voice or self.voices[0].name, frames)

    def step(self, inputs: Mapping[int, str]) -> dict[int, list[Event]]:
        """Synthesize one frame in each slot."""
        output = {slot: self._speak(self._streams[slot], text) for slot, text in inputs.items()}
        return {slot: events for slot, events in output.items() if events}

    def _speak(self, stream: _StreamState, text: str) -> list[Event]:
        stream.words.extend(text.split())
        events: list[Event] = []
        if not stream.unsent:
            if not stream.words:
                return []
            word = stream.words.popleft()
            stream.unsent = pcm_of(word, stream.voice, stream.frames_per_word)
            start = stream.position / SAMPLE_RATE
            events.append(Word(word, start, start + len(stream.unsent) / 2 / SAMPLE_RATE, None))
        frame, stream.unsent = stream.unsent[: 2 * FRAME_SAMPLES], stream.unsent[2 * FRAME_SAMPLES :]
        stream.position += FRAME_SAMPLES
        return [*events, Audio(frame), Step(stream.position, stream.position, 1.0)]

    def flush(self, slot: int) -> list[Event]:
        return []

    def close(self, slot: int) -> None:
        del self._streams[slot]


def pcm_of(text: str, voice: str = Tones.voices[0].name, frames_per_word: int = WORD_FRAMES) -> bytes:
    """Speech for all words of a text: s16le, 24 kHz."""
    return b"".join(_noise(f"{voice} {word}", frames_per_word * FRAME_SAMPLES) for word in text.split())


def _noise(seed: str, samples: int) -> bytes:
    generator = np.random.default_rng(crc32(seed.encode()))
    return generator.integers(-3000, 3000, samples, "<i2").tobytes()
