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
    LONGEST,
    LULL,
    PAUSE,
    RATE,
    Utterance,
    Utterances,
    seconds_of,
    windows_in,
)
from inference.messages import (
    FRAME_SAMPLES,
    SAMPLE_RATE,
    UNKNOWN_LANGUAGE,
    EndPoint,
    Event,
    Open,
    Partial,
    Step,
    Word,
)

Audio = NDArray[np.float32]
"""[n], at 16 kHz."""

GROWTH = windows_in(0.24)
"""An utterance is not read again before it has grown by so much."""
ENOUGH = windows_in(5)
SENTENCE_PAUSE = windows_in(0.3)
"""So much silence ends an utterance that is long enough, if what was read of it ends with a sentence."""
SENTENCE_ENDS = (".", "?", "!", "…", "。", "？", "！")
READING_ALONG = 1.0
"""Seconds of reading what may change for each second in which there was nothing to do. With longer utterances, slower
machines and more streams the texts come less often, but not late, and when the machine has its hands full not at all:
what is final goes on."""
SAVED = 0.5
"""Seconds of it that may be kept for later."""
LENT = 1.0
"""Seconds of it that may be taken beforehand when a pause begins: what is read then is most often the final text."""
SHARE_OF_READING = 0.3
"""Of its time, for utterances that are over where all streams speak without end. To find when each word was said, and
where speech is, takes a third as long again (measured); what is left is for what may change, and for others."""
MOST = 16
"""Streams: what may change would come too seldom."""
AHEAD = 1.0
"""Seconds. Where a stream is heard so much faster than it could be spoken, a file or one that catches up, nobody reads
along."""
ENOUGH_TO_TELL = 2.0
"""Seconds in which a language can be told from others; for less the one that was heard last is taken."""


@dataclass(frozen=True)
class Spoken:
    """A word, in seconds of its utterance."""

    text: str
    start: float
    end: float
    confidence: float | None = None


@dataclass(frozen=True)
class Reading:
    text: str = ""
    words: Sequence[Spoken] = ()
    """Of a model that tells them."""
    language: str = ""
    """In which it was read, of a model that was told none."""


@dataclass
class Hearing:
    """One stream."""

    utterances: Utterances = field(default_factory=Utterances)
    language: str = ""
    found_language: str = ""
    """In which it was spoken last, where it has to be found."""
    position: int = 0  # its first sample, of its session
    heard: int = 0
    reading: Reading = Reading()
    """What was read of the utterance that runs..."""
    read: int = 0
    """...when it had so many windows..."""
    read_at: float = 0.0
    """...and then it was."""
    began: float = 0.0

    def begin(self, request: Open, now: float) -> None:
        self.utterances.begin()
        self.language, self.found_language = request.language, ""
        self.position = self.heard = request.position
        self.began = self.read_at = now
        self.forget()

    def forget(self) -> None:
        self.reading, self.read = Reading(), 0

    def language_of(self, audio: Audio) -> str:
        if self.language == UNKNOWN_LANGUAGE and len(audio) < ENOUGH_TO_TELL * RATE and self.found_language:
            return self.found_language
        return self.language

    def note_language(self, reading: Reading, audio: Audio) -> None:
        if reading.language and reading.text and len(audio) >= ENOUGH_TO_TELL * RATE:
            self.found_language = reading.language

    def note(self, reading: Reading, windows: int, now: float) -> None:
        self.reading, self.read, self.read_at = reading, windows, now

    def knows(self, utterance: Utterance) -> bool:
        """What was read is all of it: after that came only silence."""
        return 0 < self.read <= len(utterance) and self.read - LULL >= len(utterance) - utterance.silence

    def has_grown(self) -> bool:
        """There is more of the utterance than was read."""
        running = self.utterances.running
        return self._is_unread(running) and len(running) - self.read >= GROWTH

    def may_be_over(self) -> bool:
        """A pause may have begun, so what is read now may be the final text."""
        running = self.utterances.running
        return self._is_unread(running) and running.is_in_lull

    def _is_unread(self, running: Utterance | None) -> TypeGuard[Utterance]:
        return running is not None and running.is_speech and not self.knows(running)

    def is_ahead(self, now: float) -> bool:
        return (self.heard - self.position) / SAMPLE_RATE - (now - self.began) > AHEAD

    def seconds(self, window: int) -> float:
        """When a window begins in the session."""
        return self.position / SAMPLE_RATE + seconds_of(window)

    @property
    def step(self) -> Step:
        settled = round(self.seconds(self.utterances.unsettled) * SAMPLE_RATE)
        return Step(self.heard, settled, round(self.utterances.speech, 3))


class Reader(ABC):
    longest = LONGEST
    """Windows of an utterance."""
    pause_in_files = PAUSE
    """Windows of silence that end an utterance where nobody reads along."""

    def __init__(self, slots: int, clock: Callable[[], float] = time.monotonic) -> None:
        """`slots`: 0 for as many as it carries."""
        self._clock = clock
        self.slots = slots or self._carries()
        self._hearings: dict[int, Hearing] = {}
        self._spare = SAVED
        """Seconds that may go into what may change."""
        self._done_at = clock()

    # --- What a model does ----------------------------------------------------------------------------------------

    @abstractmethod
    def read(self, audio: Audio, language: str) -> Reading:
        """What is said in an utterance, or in what there is of it, in a language or in `UNKNOWN_LANGUAGE`."""

    @abstractmethod
    def words(self, reading: Reading, audio: Audio) -> Sequence[Spoken]:
        """When each word of it is said."""

    @abstractmethod
    def some_speech(self) -> Audio:
        """Of which one can tell how long it takes to read; a few seconds."""

    # --- What an engine does --------------------------------------------------------------------------------------

    def open(self, slot: int, request: Open) -> None:
        if slot not in self._hearings:
            self._hearings[slot] = Hearing(Utterances(self.longest))
        self._hearings[slot].begin(request, self._clock())

    def step(self, inputs: Mapping[int, Frame]) -> dict[int, list[Event]]:
        now = self._clock()
        self._spare = min(SAVED, self._spare + READING_ALONG * (now - self._done_at))
        for hearing in map(self._hearings.__getitem__, inputs):
            hearing.utterances.pause = self.pause_in_files if hearing.is_ahead(now) else PAUSE
        told = {slot: self._hear(self._hearings[slot], frame) for slot, frame in inputs.items()}
        if not any(told.values()):  # final texts come first
            for slot in self._to_read(inputs):
                told[slot] += self._read_running(self._hearings[slot])
        self._done_at = self._clock()
        return {slot: [*events, self._hearings[slot].step] for slot, events in told.items()}

    def flush(self, slot: int) -> list[Event]:
        hearing = self._hearings[slot]
        return [event for utterance in hearing.utterances.finish() for event in self._finals(hearing, utterance)]

    def close(self, slot: int) -> None:  # noqa: B027
        """The detector and the resampler, 60 ms to make, wait for the next stream."""

    def _hear(self, hearing: Hearing, frame: Frame) -> list[Event]:
        hearing.heard += FRAME_SAMPLES
        return [event for utterance in hearing.utterances.hear(frame) for event in self._finals(hearing, utterance)]

    # --- What may change ------------------------------------------------------------------------------------------

    def _to_read(self, slots: Mapping[int, Frame]) -> list[int]:
        """The slots of which a text is wanted now, if there is time for it: all in which a pause may have begun, else
        the one that has waited longest."""
        if self._spare <= -LENT:
            return []
        now = self._clock()
        live = [slot for slot in slots if not self._hearings[slot].is_ahead(now)]
        if at_once := [slot for slot in live if self._hearings[slot].may_be_over()]:
            return at_once
        grown = [slot for slot in live if self._hearings[slot].has_grown()] if self._spare > 0 else []
        return sorted(grown, key=lambda slot: self._hearings[slot].read_at)[:1]

    def _read_running(self, hearing: Hearing) -> list[Event]:
        running = hearing.utterances.running
        if running is None:
            return []
        began = self._clock()
        reading = self._read(hearing, running)
        now = self._clock()
        self._spare -= now - began
        hearing.note(reading, len(running), now)
        text = reading.text
        if running.is_in_lull and len(running) >= ENOUGH and text.endswith(SENTENCE_ENDS):
            running.ends_early_after = SENTENCE_PAUSE
        return [Partial(text, round(hearing.seconds(running.begin), 3), round(hearing.seconds(running.end), 3))]

    # --- What is final --------------------------------------------------------------------------------------------

    def _finals(self, hearing: Hearing, utterance: Utterance) -> list[Event]:
        reading = Reading()
        if hearing.knows(utterance):
            reading = hearing.reading
        elif utterance.is_speech:
            reading = self._read(hearing, utterance)
        hearing.forget()
        words = self._words(reading, hearing.seconds(utterance.begin), utterance)
        if not words:
            return [Partial("", 0.0, 0.0)]  # it was a noise
        told: list[Event] = []
        for sentences in _parted(words):
            told += sentences
            told.append(EndPoint(sentences[0].start, sentences[-1].end, reading.language or hearing.found_language))
        return told

    def _words(self, reading: Reading, begin: float, utterance: Utterance) -> list[Word]:
        if not reading.text:
            return []
        return [
            Word(word.text, round(begin + word.start, 3), round(begin + word.end, 3), word.confidence)
            for word in self.words(reading, utterance.audio)
        ]

    def _read(self, hearing: Hearing, utterance: Utterance) -> Reading:
        audio = utterance.audio
        reading = self.read(audio, hearing.language_of(audio))
        hearing.note_language(reading, audio)
        return reading

    # --- How much of it -------------------------------------------------------------------------------------------

    def _carries(self) -> int:
        """How many streams it hears in time on this machine, by how long it takes to read some speech."""
        speech = self.some_speech()
        took = min(self._time_of_reading(speech) for _ in range(3))
        return min(MOST, max(1, int(SHARE_OF_READING * len(speech) / RATE / took)))

    def _time_of_reading(self, speech: Audio) -> float:
        began = time.perf_counter()
        self.read(speech, "")
        return time.perf_counter() - began


def _parted(words: Sequence[Word]) -> Iterator[list[Word]]:
    """Where it would have ended if somebody had read along."""
    part: list[Word] = []
    for word in words:
        if (
            part
            and part[-1].text.endswith(SENTENCE_ENDS)
            and word.start - part[-1].end >= seconds_of(SENTENCE_PAUSE)
            and part[-1].end - part[0].start >= seconds_of(ENOUGH)
        ):
            yield part
            part = []
        part.append(word)
    yield part
