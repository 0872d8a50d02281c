"""Base of engines that render phrases: they render a phrase once its text is complete, and slots take turns.

A phrase ends with a sentence, at a pause, with a flush, or when it gets too long. With low latency phrases are shorter,
and the first one also ends at its first comma. Each step renders one chunk of one phrase, for the slot that has waited
longest, so that the first audio of a stream does not wait for whole sentences of all others. With most engines a phrase
is one chunk.
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
"""Characters of a phrase."""
MAX_FIRST_PHRASE = 60
"""Characters of a stream's first phrase: the listener waits until it is rendered."""
LOW_LATENCY_MAX_PHRASE = 100
"""Characters of a phrase that may be interrupted. The phrase being rendered is finished even if its stream is closed,
and other streams wait meanwhile: with Piper 0.85 s at 240 characters, so some 0.4 s at 100."""
LOW_LATENCY_MIN_PHRASE = 4
"""Characters, with the comma, of a first phrase that ends at a comma: “Yes,”. “Oh,” would be over before the next
phrase is rendered."""
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
    """Start and end of each word of the phrase, seconds from its beginning; only the last chunk has them."""


class Synthesizer(Protocol):
    voices: list[Voice]

    def render(self, words: list[str], voice: str, controls: Mapping[str, float]) -> Iterable[Rendered]:
        """Speak a phrase; yields chunks as they are rendered."""


class _Phrase(NamedTuple):
    words: list[str]
    start: int  # sample of the session
    chunks: Iterator[Rendered]


@dataclass
class _StreamState:
    request: Open
    voice: str
    max_phrase: int  # characters of a phrase
    rendered: int  # samples of the session, including those in `pcm`
    words: deque[str] = field(default_factory=deque)
    phrase: _Phrase | None = None  # being rendered
    pcm: bytes = b""  # rendered and not yet emitted
    word_events: deque[Word] = field(default_factory=deque)
    is_first: bool = True
    is_flushed: bool = False
    last_turn: int = 0  # step

    @property
    def emitted(self) -> int:
        """Samples of the session that were emitted."""
        return self.rendered - len(self.pcm) // 2

    @property
    def has_work(self) -> bool:
        return self.phrase is not None or _phrase_length(self) > 0


class PhraseSynthesizer:
    """Engine that uses a `Synthesizer`. Without a requested voice it uses the first."""

    def __init__(self, slots: int, synthesizer: Synthesizer, max_phrase: int = MAX_PHRASE) -> None:
        """`max_phrase`: characters of a phrase."""
        self.slots = slots
        self.voices = synthesizer.voices
        self._synthesizer = synthesizer
        self._max_phrase = max_phrase
        self._streams: dict[int, _StreamState] = {}
        self._steps = 0

    def open(self, slot: int, request: Open) -> None:
        max_phrase = min(self._max_phrase, LOW_LATENCY_MAX_PHRASE) if request.low_latency else self._max_phrase
        voice = request.voice or self.voices[0].name
        self._streams[slot] = _StreamState(request, voice, max_phrase, request.position)

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
            self._render(min(waiting, key=lambda state: state.last_turn))
        output = {slot: self._output(self._streams[slot]) for slot in inputs}
        return {slot: events for slot, events in output.items() if events}

    def _can_render(self, state: _StreamState) -> bool:
        return len(state.pcm) < FRAME_BYTES and state.has_work

    def _render(self, state: _StreamState) -> None:
        state.last_turn = self._steps
        phrase = state.phrase or self._start_phrase(state)
        chunk = next(phrase.chunks)
        if chunk.times is not None:
            start = phrase.start / SAMPLE_RATE
            for word, (first, end) in zip(phrase.words, chunk.times, strict=True):
                state.word_events.append(Word(word, round(start + first, 3), round(start + end, 3), None))
            state.phrase = None
        pcm = _resampled(chunk)
        state.pcm += pcm.tobytes()
        state.rendered += len(pcm)

    def _start_phrase(self, state: _StreamState) -> _Phrase:
        words = [state.words.popleft() for _ in range(_phrase_length(state))]
        state.is_first = False
        chunks: Iterable[Rendered]
        if (pause := parse_pause(words[0])) is not None:
            words, chunks = [], [_silence(pause)]
        else:
            chunks = self._synthesizer.render(words, state.voice, state.request.controls)
        state.phrase = _Phrase(words, state.rendered, iter(chunks))
        return state.phrase

    def _output(self, state: _StreamState) -> list[Event]:
        events: list[Event] = [*state.word_events]
        state.word_events.clear()
        for _ in range(FRAMES_PER_STEP):
            if len(state.pcm) < FRAME_BYTES:
                break
            events.append(Audio(state.pcm[:FRAME_BYTES]))
            state.pcm = state.pcm[FRAME_BYTES:]
        if state.is_flushed and not (state.words or state.phrase) and 0 < len(state.pcm) < FRAME_BYTES:
            events.append(Audio(state.pcm.ljust(FRAME_BYTES, b"\0")))
            state.rendered += FRAME_SAMPLES - len(state.pcm) // 2
            state.pcm = b""
        if events or state.has_work:
            final_until = state.phrase.start if state.phrase else state.emitted
            return [*events, Step(state.emitted, final_until, 1.0)]
        state.is_flushed = False
        return []


def _silence(seconds: float) -> Rendered:
    return Rendered(np.zeros(round(seconds * SAMPLE_RATE), "<i2"), SAMPLE_RATE, [])


def _resampled(rendered: Rendered) -> Pcm:
    """PCM at 24 kHz. Resampled as floats, because soxr adds noise to integers."""
    if rendered.rate == SAMPLE_RATE:
        return rendered.pcm
    audio = soxr.resample(rendered.pcm / np.float32(32768), rendered.rate, SAMPLE_RATE)
    return (np.clip(audio, -1, 1) * 32767).astype("<i2")


def _phrase_length(state: _StreamState) -> int:
    """Number of words in the next phrase; 0 while it is incomplete. A pause is a phrase of its own."""
    length, comma = 0, 0
    for number, word in enumerate(state.words, 1):
        if parse_pause(word) is not None:
            return max(number - 1, 1)
        length += len(word) + 1
        if comma and length > (MAX_FIRST_PHRASE if state.is_first else state.max_phrase):
            return comma
        if length > state.max_phrase and number > 1:
            return number - 1
        bare = word.rstrip(CLOSING)
        if bare.endswith(SENTENCE_ENDS):
            return number
        if bare.endswith(CLAUSE_ENDS):
            comma = number
            if state.is_first and state.request.low_latency and length > LOW_LATENCY_MIN_PHRASE:
                return comma
    return len(state.words) if state.is_flushed else 0
