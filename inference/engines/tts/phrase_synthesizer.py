"""What engines that render phrases have in common: they wait for the end of one before they begin it, and take turns.

A phrase ends with a sentence, at a pause, with a flush, or when it gets too long. Each step renders one piece of one,
for the slot that has waited longest, so that nobody's first sound waits for the sentences of everybody else. For most
engines a phrase is one piece.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import numpy as np
import soxr
from numpy.typing import NDArray

from inference.messages import (
    FRAME_BYTES,
    FRAME_SAMPLES,
    SAMPLE_RATE,
    Audio,
    Event,
    Open,
    Step,
    Voice,
    Word,
    parse_pause,
)

MAX_PHRASE = 240
"""Characters."""
MAX_FIRST_PHRASE = 60
"""Of a stream's first: until it is rendered there is silence."""
FRAMES_PER_STEP = 12
SENTENCE_ENDS = (".", "!", "?", "…", ":", ";", "。", "！", "？", "।", "؟", "۔")
CLAUSE_ENDS = (",", "—", "–", "،", "、", "，")
CLOSING = "\"'”’»)]"

Pcm = NDArray[np.int16]
"""int16[n], mono."""


class Rendered(NamedTuple):
    pcm: Pcm
    rate: int  # Hz
    times: list[tuple[float, float]] | None
    """Start and end of each word of the phrase, seconds from its beginning; only the last piece has them."""


class Synthesizer(Protocol):
    voices: list[Voice]

    def render(self, words: list[str], voice: str, controls: Mapping[str, float]) -> Iterable[Rendered]:
        """Speak a phrase, in pieces as they are made."""


class _Phrase(NamedTuple):
    words: list[str]
    start: int  # sample of the session
    pieces: Iterator[Rendered]


@dataclass
class _StreamState:
    request: Open
    voice: str
    max_phrase: int  # characters of a phrase
    made: int  # samples of the session, those of `pcm` among them
    words: deque[str] = field(default_factory=deque)
    phrase: _Phrase | None = None  # that is being rendered
    pcm: bytes = b""  # rendered and not told
    word_events: deque[Word] = field(default_factory=deque)
    is_first: bool = True
    is_flushed: bool = False
    waits_since: int = 0

    @property
    def output(self) -> int:
        return self.made - len(self.pcm) // 2

    @property
    def has_work(self) -> bool:
        return self.phrase is not None or _phrase_length(self) > 0


class PhraseSynthesizer:
    """An engine, given what renders its phrases. The first voice is spoken where none is asked for."""

    def __init__(self, slots: int, synthesiser: Synthesizer, longest: int = MAX_PHRASE) -> None:
        """`longest`: characters of a phrase."""
        self.slots = slots
        self.voices = synthesiser.voices
        self._synthesizer = synthesiser
        self._max_phrase = longest
        self._streams: dict[int, _StreamState] = {}
        self._steps = 0

    def open(self, slot: int, request: Open) -> None:
        self._streams[slot] = _StreamState(
            request, request.voice or self.voices[0].name, self._max_phrase, request.position
        )

    def flush(self, slot: int) -> list[Event]:
        self._streams[slot].is_flushed = True
        return []

    def close(self, slot: int) -> None:
        del self._streams[slot]

    def step(self, inputs: Mapping[int, str]) -> dict[int, list[Event]]:
        self._steps += 1
        for slot, text in inputs.items():
            self._streams[slot].words.extend(text.split())
        waiting = [self._streams[slot] for slot in inputs if self._can_render(self._streams[slot])]
        if waiting:
            self._render(min(waiting, key=lambda spoken: spoken.waits_since))
        told = {slot: self._output(self._streams[slot]) for slot in inputs}
        return {slot: events for slot, events in told.items() if events}

    def _can_render(self, spoken: _StreamState) -> bool:
        return len(spoken.pcm) < FRAME_BYTES and spoken.has_work

    def _render(self, spoken: _StreamState) -> None:
        spoken.waits_since = self._steps
        phrase = spoken.phrase or self._begin_phrase(spoken)
        piece = next(phrase.pieces)
        if piece.times is not None:
            start = phrase.start / SAMPLE_RATE
            for word, (first, end) in zip(phrase.words, piece.times, strict=True):
                spoken.word_events.append(Word(word, round(start + first, 3), round(start + end, 3), None))
            spoken.phrase = None
        pcm = _resampled(piece)
        spoken.pcm += pcm.tobytes()
        spoken.made += len(pcm)

    def _begin_phrase(self, spoken: _StreamState) -> _Phrase:
        words = [spoken.words.popleft() for _ in range(_phrase_length(spoken))]
        spoken.is_first = False
        pieces: Iterable[Rendered]
        if (pause := parse_pause(words[0])) is not None:
            words, pieces = [], [_silence(pause)]
        else:
            pieces = self._synthesizer.render(words, spoken.voice, spoken.request.controls)
        spoken.phrase = _Phrase(words, spoken.made, iter(pieces))
        return spoken.phrase

    def _output(self, spoken: _StreamState) -> list[Event]:
        events: list[Event] = [*spoken.word_events]
        spoken.word_events.clear()
        for _ in range(FRAMES_PER_STEP):
            if len(spoken.pcm) < FRAME_BYTES:
                break
            events.append(Audio(spoken.pcm[:FRAME_BYTES]))
            spoken.pcm = spoken.pcm[FRAME_BYTES:]
        if spoken.is_flushed and not (spoken.words or spoken.phrase) and 0 < len(spoken.pcm) < FRAME_BYTES:
            events.append(Audio(spoken.pcm.ljust(FRAME_BYTES, b"\0")))
            spoken.made += FRAME_SAMPLES - len(spoken.pcm) // 2
            spoken.pcm = b""
        if events or spoken.has_work:
            settled = spoken.phrase.start if spoken.phrase else spoken.output
            return [*events, Step(spoken.output, settled, 1.0)]
        spoken.is_flushed = False
        return []


def _silence(seconds: float) -> Rendered:
    return Rendered(np.zeros(round(seconds * SAMPLE_RATE), "<i2"), SAMPLE_RATE, [])


def _resampled(rendered: Rendered) -> Pcm:
    """At 24 kHz. As floats, since soxr adds noise to whole numbers."""
    if rendered.rate == SAMPLE_RATE:
        return rendered.pcm
    audio = soxr.resample(rendered.pcm / np.float32(32768), rendered.rate, SAMPLE_RATE)
    return (np.clip(audio, -1, 1) * 32767).astype("<i2")


def _phrase_length(spoken: _StreamState) -> int:
    """Words of the next phrase; 0 while it is not complete. A pause is one by itself."""
    length, comma = 0, 0
    for number, word in enumerate(spoken.words, 1):
        if parse_pause(word) is not None:
            return max(number - 1, 1)
        length += len(word) + 1
        if comma and length > (MAX_FIRST_PHRASE if spoken.is_first else spoken.max_phrase):
            return comma
        if length > spoken.max_phrase and number > 1:
            return number - 1
        bare = word.rstrip(CLOSING)
        if bare.endswith(SENTENCE_ENDS):
            return number
        if bare.endswith(CLAUSE_ENDS):
            comma = number
    return len(spoken.words) if spoken.is_flushed else 0
