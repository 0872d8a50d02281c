"""Engines whose model reads an utterance whole.

While it runs, what was said so far is read again and again, and may change; once a pause has ended it, its words are
final at once. The text that was read when the pause began is the final one if nothing was said since.
"""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeGuard

import numpy as np
from numpy.typing import NDArray

from inference.engine import Frame
from inference.engines.stt.vad_segmenter import (
    MAX_SPEECH,
    MIN_SILENCE,
    RATE,
    SHORT_SILENCE,
    SpeechSegment,
    VadSegmenter,
    seconds_of,
    windows_in,
)
from inference.messages import (
    FRAME_SAMPLES,
    SAMPLE_RATE,
    UNKNOWN_LANGUAGE,
    Endpoint,
    Event,
    Open,
    Partial,
    Step,
    Word,
)

Audio = NDArray[np.float32]
"""[n], at 16 kHz."""

MIN_GROWTH = windows_in(0.24)
"""An utterance is not read again before it has grown by so much."""
MIN_EARLY_END = windows_in(5)
SENTENCE_PAUSE = windows_in(0.3)
"""So much silence ends an utterance that is long enough, if what was read of it ends with a sentence."""
SENTENCE_ENDS = (".", "?", "!", "…", "。", "？", "！")
PARTIAL_BUDGET_RATE = 1.0
"""Seconds of reading what may change for each second in which there was nothing to do. With longer utterances, slower
machines and more streams the texts come less often, but not late, and when the machine has its hands full not at all:
what is final goes on."""
PARTIAL_BUDGET_CAP = 0.5
"""Seconds of it that may be kept for later."""
PARTIAL_BUDGET_DEBT = 1.0
"""Seconds of it that may be taken beforehand when a pause begins: what is read then is most often the final text."""
FINAL_TIME_SHARE = 0.3
"""Of its time, for utterances that are over where all streams speak without end. To find when each word was said, and
where speech is, takes a third as long again (measured); what is left is for what may change, and for others."""
MAX_STREAMS = 16
"""Streams: what may change would come too seldom."""
AHEAD_OF_REAL_TIME = 1.0
"""Seconds. Where a stream is heard so much faster than it could be spoken, a file or one that catches up, nobody reads
along."""
MIN_LANGUAGE_DETECTION = 2.0
"""Seconds in which a language can be told from others; for less the one that was heard last is taken."""


@dataclass(frozen=True)
class TimedWord:
    """A word, in seconds of its utterance."""

    text: str
    start: float
    end: float
    confidence: float | None = None


@dataclass(frozen=True)
class Hypothesis:
    text: str = ""
    words: Sequence[TimedWord] = ()
    """Of a model that tells them."""
    language: str = ""
    """In which it was read, of a model that was told none."""


@dataclass
class StreamState:
    """One stream."""

    segmenter: VadSegmenter = field(default_factory=VadSegmenter)
    language: str = ""
    detected_language: str = ""
    """In which it was spoken last, where it has to be found."""
    position: int = 0  # its first sample, of its session
    processed: int = 0
    hypothesis: Hypothesis = Hypothesis()
    """What was read of the utterance that runs..."""
    recognized_windows: int = 0
    """...when it had so many windows..."""
    recognized_at: float = 0.0
    """...and then it was."""
    opened_at: float = 0.0

    def begin(self, request: Open, now: float) -> None:
        self.segmenter.begin()
        self.language, self.detected_language = request.language, ""
        self.position = self.processed = request.position
        self.opened_at = self.recognized_at = now
        self.reset_hypothesis()

    def reset_hypothesis(self) -> None:
        self.hypothesis, self.recognized_windows = Hypothesis(), 0

    def language_of(self, audio: Audio) -> str:
        if self.language == UNKNOWN_LANGUAGE and len(audio) < MIN_LANGUAGE_DETECTION * RATE and self.detected_language:
            return self.detected_language
        return self.language

    def record_language(self, reading: Hypothesis, audio: Audio) -> None:
        if reading.language and reading.text and len(audio) >= MIN_LANGUAGE_DETECTION * RATE:
            self.detected_language = reading.language

    def record(self, reading: Hypothesis, windows: int, now: float) -> None:
        self.hypothesis, self.recognized_windows, self.recognized_at = reading, windows, now

    def hypothesis_is_complete(self, utterance: SpeechSegment) -> bool:
        """What was read is all of it: after that came only silence."""
        return (
            0 < self.recognized_windows <= len(utterance)
            and self.recognized_windows - SHORT_SILENCE >= len(utterance) - utterance.silence
        )

    def has_grown(self) -> bool:
        """There is more of the utterance than was read."""
        running = self.segmenter.running
        return self._needs_recognition(running) and len(running) - self.recognized_windows >= MIN_GROWTH

    def may_have_ended(self) -> bool:
        """A pause may have begun, so what is read now may be the final text."""
        running = self.segmenter.running
        return self._needs_recognition(running) and running.is_in_short_silence

    def _needs_recognition(self, running: SpeechSegment | None) -> TypeGuard[SpeechSegment]:
        return running is not None and running.is_speech and not self.hypothesis_is_complete(running)

    def is_ahead(self, now: float) -> bool:
        return (self.processed - self.position) / SAMPLE_RATE - (now - self.opened_at) > AHEAD_OF_REAL_TIME

    def seconds(self, window: int) -> float:
        """When a window begins in the session."""
        return self.position / SAMPLE_RATE + seconds_of(window)

    @property
    def step(self) -> Step:
        settled = round(self.seconds(self.segmenter.final_until) * SAMPLE_RATE)
        return Step(self.processed, settled, round(self.segmenter.speech, 3))


class SegmentRecognizer(ABC):
    max_segment = MAX_SPEECH
    """Windows of an utterance."""
    min_silence_in_files = MIN_SILENCE
    """Windows of silence that end an utterance where nobody reads along."""

    def __init__(self, slots: int, clock: Callable[[], float] = time.monotonic) -> None:
        """`slots`: 0 for as many as it carries."""
        self._clock = clock
        self.slots = slots or self._measure_capacity()
        self._streams: dict[int, StreamState] = {}
        self._partial_budget = PARTIAL_BUDGET_CAP
        """Seconds that may go into what may change."""
        self._last_step_at = clock()

    # --- What a model does ----------------------------------------------------------------------------------------

    @abstractmethod
    def recognize(self, audio: Audio, language: str) -> Hypothesis:
        """What is said in an utterance, or in what there is of it, in a language or in `UNKNOWN_LANGUAGE`."""

    @abstractmethod
    def align_words(self, reading: Hypothesis, audio: Audio) -> Sequence[TimedWord]:
        """When each word of it is said."""

    @abstractmethod
    def sample_speech(self) -> Audio:
        """Of which one can tell how long it takes to read; a few seconds."""

    # --- What an engine does --------------------------------------------------------------------------------------

    def open(self, slot: int, request: Open) -> None:
        if slot not in self._streams:
            self._streams[slot] = StreamState(VadSegmenter(self.max_segment))
        self._streams[slot].begin(request, self._clock())

    def step(self, inputs: Mapping[int, Frame]) -> dict[int, list[Event]]:
        now = self._clock()
        self._partial_budget = min(
            PARTIAL_BUDGET_CAP, self._partial_budget + PARTIAL_BUDGET_RATE * (now - self._last_step_at)
        )
        for hearing in map(self._streams.__getitem__, inputs):
            hearing.segmenter.min_silence = self.min_silence_in_files if hearing.is_ahead(now) else MIN_SILENCE
        told = {slot: self._process(self._streams[slot], frame) for slot, frame in inputs.items()}
        if not any(told.values()):  # final texts come first
            for slot in self._slots_due_for_partials(inputs):
                told[slot] += self._partial(self._streams[slot])
        self._last_step_at = self._clock()
        return {slot: [*events, self._streams[slot].step] for slot, events in told.items()}

    def flush(self, slot: int) -> list[Event]:
        hearing = self._streams[slot]
        return [event for utterance in hearing.segmenter.finish() for event in self._finals(hearing, utterance)]

    def close(self, slot: int) -> None:  # noqa: B027
        """The detector and the resampler, 60 ms to make, wait for the next stream."""

    def _process(self, hearing: StreamState, frame: Frame) -> list[Event]:
        hearing.processed += FRAME_SAMPLES
        return [event for utterance in hearing.segmenter.process(frame) for event in self._finals(hearing, utterance)]

    # --- What may change ------------------------------------------------------------------------------------------

    def _slots_due_for_partials(self, slots: Mapping[int, Frame]) -> list[int]:
        """The slots of which a text is wanted now, if there is time for it: all in which a pause may have begun, else
        the one that has waited longest."""
        if self._partial_budget <= -PARTIAL_BUDGET_DEBT:
            return []
        now = self._clock()
        live = [slot for slot in slots if not self._streams[slot].is_ahead(now)]
        if at_once := [slot for slot in live if self._streams[slot].may_have_ended()]:
            return at_once
        grown = [slot for slot in live if self._streams[slot].has_grown()] if self._partial_budget > 0 else []
        return sorted(grown, key=lambda slot: self._streams[slot].recognized_at)[:1]

    def _partial(self, hearing: StreamState) -> list[Event]:
        running = hearing.segmenter.running
        if running is None:
            return []
        began = self._clock()
        reading = self._recognize(hearing, running)
        now = self._clock()
        self._partial_budget -= now - began
        hearing.record(reading, len(running), now)
        text = reading.text
        if running.is_in_short_silence and len(running) >= MIN_EARLY_END and text.endswith(SENTENCE_ENDS):
            running.ends_early_after = SENTENCE_PAUSE
        return [Partial(text, round(hearing.seconds(running.first_window), 3), round(hearing.seconds(running.end), 3))]

    # --- What is final --------------------------------------------------------------------------------------------

    def _finals(self, hearing: StreamState, utterance: SpeechSegment) -> list[Event]:
        reading = Hypothesis()
        if hearing.hypothesis_is_complete(utterance):
            reading = hearing.hypothesis
        elif utterance.is_speech:
            reading = self._recognize(hearing, utterance)
        hearing.reset_hypothesis()
        words = self._words(reading, hearing.seconds(utterance.first_window), utterance)
        if not words:
            return [Partial("", 0.0, 0.0)]  # it was a noise
        told: list[Event] = []
        for sentences in _split_at_sentences(words):
            told += sentences
            told.append(Endpoint(sentences[0].start, sentences[-1].end, reading.language or hearing.detected_language))
        return told

    def _words(self, reading: Hypothesis, begin: float, utterance: SpeechSegment) -> list[Word]:
        if not reading.text:
            return []
        return [
            Word(word.text, round(begin + word.start, 3), round(begin + word.end, 3), word.confidence)
            for word in self.align_words(reading, utterance.audio)
        ]

    def _recognize(self, hearing: StreamState, utterance: SpeechSegment) -> Hypothesis:
        audio = utterance.audio
        reading = self.recognize(audio, hearing.language_of(audio))
        hearing.record_language(reading, audio)
        return reading

    # --- How much of it -------------------------------------------------------------------------------------------

    def _measure_capacity(self) -> int:
        """How many streams it hears in time on this machine, by how long it takes to read some speech."""
        speech = self.sample_speech()
        took = min(self._measure_recognition(speech) for _ in range(3))
        return min(MAX_STREAMS, max(1, int(FINAL_TIME_SHARE * len(speech) / RATE / took)))

    def _measure_recognition(self, speech: Audio) -> float:
        began = time.perf_counter()
        self.recognize(speech, "")
        return time.perf_counter() - began


def _split_at_sentences(words: Sequence[Word]) -> Iterator[list[Word]]:
    """Where it would have ended if somebody had read along."""
    part: list[Word] = []
    for word in words:
        if (
            part
            and part[-1].text.endswith(SENTENCE_ENDS)
            and word.start - part[-1].end >= seconds_of(SENTENCE_PAUSE)
            and part[-1].end - part[0].start >= seconds_of(MIN_EARLY_END)
        ):
            yield part
            part = []
        part.append(word)
    yield part
