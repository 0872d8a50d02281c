"""Base class of engines whose model recognizes a segment as a whole.

While a segment lasts, the speech so far is recognized again and again and its text may change; once a pause ends the
segment, its words are final at once. The text that was recognized when the pause began is reused as the final one if no
speech followed.
"""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TypeGuard

import numpy as np
from numpy.typing import NDArray

from inference.engine import Frame
from inference.engines.stt.segment_text import ends_with_number
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
"""Windows by which a segment must grow before it is recognized again."""
MIN_EARLY_END = windows_in(5)
"""Windows that a segment must have to end at `SENTENCE_PAUSE`."""
SENTENCE_PAUSE = windows_in(0.3)
"""Silence that ends a segment of `MIN_EARLY_END` whose text ends with a sentence."""
NUMBER_PAUSE = windows_in(1.5)
"""Silence that ends a segment whose text ends with a number: numbers are read out with pauses, and their digits are
misrecognized one by one."""
SENTENCE_ENDS = (".", "?", "!", "…", "。", "？", "！")
PARTIAL_BUDGET_RATE = 1.0
"""Seconds of engine time for partials that each idle second adds to the budget. With longer segments, slower machines
and more streams, partials come less often but not late; a fully loaded engine produces finals only."""
PARTIAL_BUDGET_CAP = 0.5
"""Seconds of the budget that may be saved up."""
PARTIAL_BUDGET_DEBT = 1.0
"""Seconds by which the budget may be overdrawn when a pause begins: the text recognized then is most often the final
one."""
FINAL_TIME_SHARE = 0.3
"""Share of engine time for final transcripts when every stream speaks without end. Alignment and VAD add a third
(measured); the rest is for partials and for other processes."""
MAX_STREAMS = 16
"""Maximum number of streams; with more, partials would come too seldom."""
AHEAD_OF_REAL_TIME = 1.0
"""Seconds by which a stream must be ahead of real time (a file, or a client that catches up) to get no partials."""
MIN_LANGUAGE_DETECTION = 2.0
"""Seconds of audio that language detection requires; for less, the language detected last is used."""


@dataclass(frozen=True)
class TimedWord:
    """A word with its times in seconds from the start of its segment."""

    text: str
    start: float
    end: float
    confidence: float | None = None


@dataclass(frozen=True)
class Hypothesis:
    text: str = ""
    words: Sequence[TimedWord] = ()
    """Words of a model that reports word times; empty for others."""
    language: str = ""
    """Detected language; empty if the request named one."""


@dataclass
class StreamState:
    """State of one stream."""

    segmenter: VadSegmenter = field(default_factory=VadSegmenter)
    language: str = ""
    translates: bool = False
    detected_language: str = ""
    """Language of the last segment that was long enough, if the language is detected."""
    position: int = 0  # of the first sample, in the session
    processed: int = 0
    hypothesis: Hypothesis = Hypothesis()
    """Last recognized text of the current segment."""
    recognized_windows: int = 0
    """Windows that the segment had then."""
    recognized_at: float = 0.0
    """Time of that recognition."""
    opened_at: float = 0.0

    def open(self, request: Open, now: float) -> None:
        self.segmenter.reset()
        self.language, self.detected_language = request.language, ""
        self.translates = request.translates
        self.position = self.processed = request.position
        self.opened_at = self.recognized_at = now
        self.reset_hypothesis()

    def reset_hypothesis(self) -> None:
        self.hypothesis, self.recognized_windows = Hypothesis(), 0

    def language_of(self, audio: Audio) -> str:
        if self.language == UNKNOWN_LANGUAGE and len(audio) < MIN_LANGUAGE_DETECTION * RATE and self.detected_language:
            return self.detected_language
        return self.language

    def record_language(self, hypothesis: Hypothesis, audio: Audio) -> None:
        if hypothesis.language and hypothesis.text and len(audio) >= MIN_LANGUAGE_DETECTION * RATE:
            self.detected_language = hypothesis.language

    def record(self, hypothesis: Hypothesis, windows: int, now: float) -> None:
        self.hypothesis, self.recognized_windows, self.recognized_at = hypothesis, windows, now

    def hypothesis_is_complete(self, segment: SpeechSegment) -> bool:
        """The hypothesis covers all speech of the segment: only silence followed."""
        return (
            0 < self.recognized_windows <= len(segment)
            and self.recognized_windows - SHORT_SILENCE >= len(segment) - segment.silence
        )

    def has_grown(self) -> bool:
        """The current segment is longer than at its last recognition."""
        current = self.segmenter.current
        return self._needs_recognition(current) and len(current) - self.recognized_windows >= MIN_GROWTH

    def may_have_ended(self) -> bool:
        """A pause may have begun, so text recognized now may be the final one."""
        current = self.segmenter.current
        return self._needs_recognition(current) and current.is_in_short_silence

    def _needs_recognition(self, current: SpeechSegment | None) -> TypeGuard[SpeechSegment]:
        return current is not None and current.is_speech and not self.hypothesis_is_complete(current)

    def is_ahead(self, now: float) -> bool:
        return (self.processed - self.position) / SAMPLE_RATE - (now - self.opened_at) > AHEAD_OF_REAL_TIME

    def seconds(self, window: int) -> float:
        """Start of a window in the session."""
        return self.position / SAMPLE_RATE + seconds_of(window)

    @property
    def step(self) -> Step:
        final_until = round(self.seconds(self.segmenter.final_until) * SAMPLE_RATE)
        return Step(self.processed, final_until, round(self.segmenter.speech, 3))


class SegmentRecognizer(ABC):
    max_segment = MAX_SPEECH
    """Maximum windows of a segment."""
    min_silence_in_files = MIN_SILENCE
    """Windows of silence that end a segment of a stream without partials."""
    max_pause: int | None = None
    """Windows to which long pauses are shortened before recognition. None: not at all, for models that report word
    times."""

    def __init__(self, slots: int, clock: Callable[[], float] = time.monotonic) -> None:
        """`slots`: 0 for as many as this machine can run in real time."""
        self._clock = clock
        self.measures_capacity = not slots
        self.slots = slots or max(self.measure_capacity() for _ in range(3))
        self._streams: dict[int, StreamState] = {}
        self._partial_budget = PARTIAL_BUDGET_CAP
        """Seconds of engine time left for partials."""
        self._last_step_at = clock()

    # --- Methods of a model ---------------------------------------------------------------------------------------

    @abstractmethod
    def recognize(self, audio: Audio, language: str) -> Hypothesis:
        """Transcribe a segment, or the part of it so far, in the given language or in `UNKNOWN_LANGUAGE`."""

    def translate(self, audio: Audio, language: str) -> Hypothesis:
        """As `recognize`, with the text in English. Only for models whose preset says that they translate."""
        raise NotImplementedError

    @abstractmethod
    def align_words(self, hypothesis: Hypothesis, audio: Audio) -> Sequence[TimedWord]:
        """Return the words of the hypothesis with their times."""

    @abstractmethod
    def sample_speech(self) -> Audio:
        """A few seconds of speech for measuring how long recognition takes."""

    # --- Methods of an engine -------------------------------------------------------------------------------------

    def open(self, slot: int, request: Open) -> None:
        if slot not in self._streams:
            stream = self._streams[slot] = StreamState(VadSegmenter(self.max_segment))
            stream.segmenter.before_end = partial(self._continue_number, stream)
        self._streams[slot].open(request, self._clock())

    def step(self, inputs: Mapping[int, Frame]) -> dict[int, list[Event]]:
        now = self._clock()
        self._partial_budget = min(
            PARTIAL_BUDGET_CAP, self._partial_budget + PARTIAL_BUDGET_RATE * (now - self._last_step_at)
        )
        output: dict[int, list[Event]] = {}
        for slot, frame in inputs.items():
            stream = self._streams[slot]
            stream.segmenter.min_silence = self.min_silence_in_files if stream.is_ahead(now) else MIN_SILENCE
            stream.processed += FRAME_SAMPLES
            ended = stream.segmenter.process(frame)
            output[slot] = [event for segment in ended for event in self._finals(stream, segment)]
        if not any(output.values()):  # final texts come first
            for slot in self._slots_due_for_partials(inputs):
                output[slot] += self._partial(self._streams[slot])
        self._last_step_at = self._clock()
        return {slot: [*events, self._streams[slot].step] for slot, events in output.items()}

    def flush(self, slot: int) -> list[Event]:
        stream = self._streams[slot]
        return [event for segment in stream.segmenter.finish() for event in self._finals(stream, segment)]

    def close(self, slot: int) -> None:  # noqa: B027
        """Keep the detector and the resampler, which take 60 ms to create, for the next stream."""

    # --- Partials -------------------------------------------------------------------------------------------------

    def _slots_due_for_partials(self, slots: Mapping[int, Frame]) -> list[int]:
        """Slots whose text is recognized now if the budget allows: all in which a pause may have begun, otherwise the
        one that has waited longest."""
        if self._partial_budget <= -PARTIAL_BUDGET_DEBT:
            return []
        now = self._clock()
        live = [slot for slot in slots if not self._streams[slot].is_ahead(now)]
        if pausing := [slot for slot in live if self._streams[slot].may_have_ended()]:
            return pausing
        grown = [slot for slot in live if self._streams[slot].has_grown()] if self._partial_budget > 0 else []
        return sorted(grown, key=lambda slot: self._streams[slot].recognized_at)[:1]

    def _partial(self, stream: StreamState) -> list[Event]:
        current = stream.segmenter.current
        if current is None:
            return []
        started = self._clock()
        hypothesis = self._recognize(stream, current)
        now = self._clock()
        self._partial_budget -= now - started
        stream.record(hypothesis, len(current), now)
        text = hypothesis.text
        if current.is_in_short_silence and len(current) >= MIN_EARLY_END and text.endswith(SENTENCE_ENDS):
            current.min_silence_by_text = SENTENCE_PAUSE
        return [Partial(text, round(stream.seconds(current.first_window), 3), round(stream.seconds(current.end), 3))]

    # --- Finals ---------------------------------------------------------------------------------------------------

    def _continue_number(self, stream: StreamState, segment: SpeechSegment) -> None:
        """Require a longer pause for the end of a segment whose text ends with a number."""
        if not segment.is_speech:
            return
        if not stream.hypothesis_is_complete(segment):
            stream.record(self._recognize(stream, segment), len(segment), self._clock())
        if ends_with_number(stream.hypothesis.text):
            segment.min_silence_by_text = max(segment.min_silence, NUMBER_PAUSE)

    def _finals(self, stream: StreamState, segment: SpeechSegment) -> list[Event]:
        hypothesis = Hypothesis()
        if stream.hypothesis_is_complete(segment):
            hypothesis = stream.hypothesis
        elif segment.is_speech:
            hypothesis = self._recognize(stream, segment)
        stream.reset_hypothesis()
        words = self._words(hypothesis, stream.seconds(segment.first_window), segment)
        if not words:
            return [Partial("", 0.0, 0.0)]  # a noise, not speech
        language = hypothesis.language or stream.detected_language
        events: list[Event] = []
        for sentences in _split_at_sentences(words):
            events += sentences
            events.append(Endpoint(sentences[0].start, sentences[-1].end, language))
        return events

    def _words(self, hypothesis: Hypothesis, start: float, segment: SpeechSegment) -> list[Word]:
        if not hypothesis.text:
            return []
        return [
            Word(word.text, round(start + word.start, 3), round(start + word.end, 3), word.confidence)
            for word in self.align_words(hypothesis, segment.audio)
        ]

    def _recognize(self, stream: StreamState, segment: SpeechSegment) -> Hypothesis:
        audio = segment.audio if self.max_pause is None else segment.audio_with_pauses(self.max_pause)
        run = self.translate if stream.translates else self.recognize
        hypothesis = run(audio, stream.language_of(audio))
        stream.record_language(hypothesis, audio)
        return hypothesis

    # --- Capacity -------------------------------------------------------------------------------------------------

    def measure_capacity(self) -> int:
        """Number of streams that this machine can run in real time, estimated from the recognition of some speech. It
        is too small while other programs use the machine."""
        speech = self.sample_speech()
        duration = self._measure_recognition(speech)
        return min(MAX_STREAMS, max(1, int(FINAL_TIME_SHARE * len(speech) / RATE / duration)))

    def _measure_recognition(self, speech: Audio) -> float:
        started = time.perf_counter()
        self.recognize(speech, "")
        return time.perf_counter() - started


def _split_at_sentences(words: Sequence[Word]) -> Iterator[list[Word]]:
    """Split the words where the segment would have ended early if partials had been recognized."""
    sentences: list[Word] = []
    for word in words:
        if (
            sentences
            and sentences[-1].text.endswith(SENTENCE_ENDS)
            and word.start - sentences[-1].end >= seconds_of(_pause_after(sentences[-1].text))
            and sentences[-1].end - sentences[0].start >= seconds_of(MIN_EARLY_END)
        ):
            yield sentences
            sentences = []
        sentences.append(word)
    yield sentences


def _pause_after(sentence: str) -> int:
    return NUMBER_PAUSE if ends_with_number(sentence) else SENTENCE_PAUSE
