"""Moonshine: speech to text on any CPU by a small neural network, with case and punctuation.

The network hears an utterance whole. While it runs, what was said so far is read again and again, and may change; once
a pause has ended it, its words are final at once. The text that was read when the pause began is the final one if
nothing was said since.
"""

import os
import time
import wave
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeGuard

import numpy as np
import soxr
from numpy.typing import NDArray

from inference.engine import Frame
from inference.engines.utterances import LULL, RATE, Utterance, Utterances, seconds_of, windows_in
from inference.engines.word_times import Aligner
from inference.messages import FRAME_SAMPLES, SAMPLE_RATE, EndPoint, Event, Open, Partial, Step, Word

GROWTH = windows_in(0.24)
"""An utterance is not read again before it has grown by so much."""
ENOUGH = windows_in(5)
SENTENCE_PAUSE = windows_in(0.3)
"""So much silence ends an utterance that is long enough, if what was read of it ends with a sentence."""
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


@dataclass
class Hearing:
    """One stream."""

    utterances: Utterances = field(default_factory=Utterances)
    position: int = 0  # its first sample, of its session
    heard: int = 0
    text: str = ""
    """What was read of the utterance that runs..."""
    read: int = 0
    """...when it had so many windows..."""
    read_at: float = 0.0
    """...and then it was."""
    began: float = 0.0

    def begin(self, position: int, now: float) -> None:
        self.utterances.begin()
        self.position = self.heard = position
        self.began = self.read_at = now
        self.forget()

    def forget(self) -> None:
        self.text, self.read = "", 0

    def note(self, text: str, windows: int, now: float) -> None:
        self.text, self.read, self.read_at = text, windows, now

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


class Moonshine:
    def __init__(self, slots: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._model = _load()
        self.slots = slots or self._carries()
        self._aligner = Aligner()
        self._hearings: dict[int, Hearing] = {}
        self._spare = SAVED
        """Seconds that may go into what may change."""
        self._done_at = clock()

    def open(self, slot: int, request: Open) -> None:
        self._hearings.setdefault(slot, Hearing()).begin(request.position, self._clock())

    def step(self, inputs: Mapping[int, Frame]) -> dict[int, list[Event]]:
        self._spare = min(SAVED, self._spare + READING_ALONG * (self._clock() - self._done_at))
        told = {slot: self._hear(self._hearings[slot], frame) for slot, frame in inputs.items()}
        if not any(told.values()):  # final texts come first
            for slot in self._to_read(inputs):
                told[slot] += self._read_running(self._hearings[slot])
        self._done_at = self._clock()
        return {slot: [*events, self._hearings[slot].step] for slot, events in told.items()}

    def flush(self, slot: int) -> list[Event]:
        hearing = self._hearings[slot]
        return [event for utterance in hearing.utterances.finish() for event in self._finals(hearing, utterance)]

    def close(self, slot: int) -> None:
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
        text = self._read(running.audio)
        now = self._clock()
        self._spare -= now - began
        hearing.note(text, len(running), now)
        if running.is_in_lull and len(running) >= ENOUGH and text.endswith((".", "?", "!")):
            running.ends_after = SENTENCE_PAUSE
        return [Partial(text, round(hearing.seconds(running.begin), 3), round(hearing.seconds(running.end), 3))]

    # --- What is final --------------------------------------------------------------------------------------------

    def _finals(self, hearing: Hearing, utterance: Utterance) -> list[Event]:
        text = ""
        if hearing.knows(utterance):
            text = hearing.text
        elif utterance.is_speech:
            text = self._read(utterance.audio)
        hearing.forget()
        words = self._words(text.split(), hearing, utterance)
        if not words:
            return [Partial("", 0.0, 0.0)]  # it was a noise
        return [*words, EndPoint(words[0].start, words[-1].end)]

    def _words(self, texts: list[str], hearing: Hearing, utterance: Utterance) -> list[Word]:
        begin = hearing.seconds(utterance.begin)
        spans = self._aligner.align(texts, utterance.audio) if texts else []
        return [
            Word(text, round(begin + span.start, 3), round(begin + span.end, 3), confidence=None)
            for text, span in zip(texts, spans, strict=True)
        ]

    # --- How much of it -------------------------------------------------------------------------------------------

    def _carries(self) -> int:
        """How many streams it hears in time on this machine, by how long it takes to read some speech."""
        speech = _some_speech()
        took = min(self._time_of_reading(speech) for _ in range(3))
        return min(MOST, max(1, int(SHARE_OF_READING * len(speech) / RATE / took)))

    def _time_of_reading(self, speech: NDArray[np.float32]) -> float:
        began = time.perf_counter()
        self._read(speech)
        return time.perf_counter() - began

    def _read(self, audio: NDArray[np.float32]) -> str:
        """The text of float32[n] at 16 kHz."""
        lines = self._model.transcribe_without_streaming(audio.tolist(), RATE).lines
        return " ".join(line.text.strip() for line in lines)


def _load() -> Any:
    """The model that comes with the package. It is not to cut the audio itself: its detector is shared by all streams
    of a process, and a noisy one changes what is heard in the others."""
    os.environ["MOONSHINE_ORT_SINGLE_THREAD"] = "1"  # read when it loads; several threads take twice the CPU
    from moonshine_voice.moonshine_api import ModelArch
    from moonshine_voice.transcriber import Transcriber
    from moonshine_voice.utils import get_model_path

    options = {"vad_threshold": "0", "return_audio_data": "false"}
    return Transcriber(get_model_path("tiny-en"), ModelArch.TINY, options=options)


def _some_speech() -> NDArray[np.float32]:
    """Four seconds of the recording that comes with the package, at 16 kHz."""
    from moonshine_voice.utils import get_assets_path

    with wave.open(str(get_assets_path() / "two_cities.wav")) as file:
        rate = file.getframerate()
        pcm = np.frombuffer(file.readframes(4 * rate), np.int16)
    return soxr.resample(pcm.astype(np.float32) / 32768, rate, RATE)
