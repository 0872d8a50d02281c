"""One stream: what the steps of the model mean for it."""

from collections.abc import Callable
from dataclasses import dataclass

from inference.engines.stt.moshi_stt.endpointing import EndPoints
from inference.engines.stt.moshi_stt.words import Timeline, Words, Written
from inference.messages import FRAME_SAMPLES, SAMPLE_RATE, EndPoint, Endpointing, Event, Partial, Step, Word

PADS = 3
"""Steps that write nothing after which, the delay past, nothing more is on its way."""
LATEST = 12
"""Frames of silence after the delay in which a last word has come to its end."""
BEFORE_ONSET = 4
"""Frames before a word's beginning from which it is heard whole."""


@dataclass(frozen=True)
class Manner:
    """What is the same for all streams of an engine."""

    delay: int  # frames
    lead: int  # frames of silence before the first of the speaker's
    brings_out: bool
    """A pause is followed by a burst of silence, so that the last words are out before the delay is over."""
    foresees: bool
    """It has heads that predict pauses."""
    decode: Callable[[list[int]], str]
    piece: Callable[[int], str]


class Hearing:
    def __init__(self, manner: Manner, position: int, wishes: Endpointing) -> None:
        self._manner = manner
        self._position = position
        self._timeline = Timeline(manner.delay, manner.lead)
        self._words = Words(manner.decode, manner.piece, self._timeline)
        self._end_points = EndPoints(wishes)
        self._n = 1 + manner.lead  # steps of the language model
        self._heard = 0  # frames of the speaker's
        self._silence: int | None = None  # frames of it that were heard to bring the words out; None: it is not done
        self._must_end = False
        self._utterance: list[Written] = []
        self._settled = position
        self._shown = ""

    @property
    def wants_silence(self) -> bool:
        """The next step is to hear silence instead of the speaker."""
        return self._silence is not None

    def bring_out(self) -> bool:
        """The audio pauses or ends here; whether there are words that silence may bring out."""
        if self._heard:
            self._must_end = True
            self._silence = self._silence or 0
        return self.wants_silence

    def hear(self, token: int, confidence: float, pauses: list[float], speech: float) -> list[Event]:
        """What follows from a step: `pauses` are the heads', `speech` the voice activity of the frame, 0 to 1."""
        self._n += 1
        if self._silence is not None:
            self._silence += 1
            self._timeline.put_in(self._n)
            return self._write(token, confidence) + self._after_silence(self._silence)
        self._heard += 1
        events = self._write(token, confidence)
        self._end_points.hear(pauses)
        events += self._look_for_end()
        self._settle()
        told = [round(pause, 3) for pause in pauses] if self._manner.foresees else []
        return [*events, Step(self._sample(self._heard), self._settled, round(speech, 3), told)]

    # --- Words ----------------------------------------------------------------------------------------------------

    def _write(self, token: int, confidence: float) -> list[Event]:
        events: list[Event] = []
        if word := self._words.take(self._n, token, confidence):
            events.append(self._tell(word))
        if (text := self._words.open) != self._shown:
            self._shown = text
            events.append(Partial(text, self._seconds(self._words.open_since), self._seconds(self._heard)))
        return events

    def _tell(self, word: Written) -> Word:
        self._utterance.append(word)
        self._shown = ""
        return Word(word.text, self._seconds(word.start), self._seconds(word.end), round(word.confidence, 3))

    # --- The end of an utterance ----------------------------------------------------------------------------------

    def _look_for_end(self) -> list[Event]:
        ends = self._end_points
        if ends.has_news and self._manner.brings_out:
            self._silence = 0
            return []
        if not self._utterance or self._words.open:
            return []
        words_are_out = self._manner.brings_out or ends.believed > self._manner.delay
        if words_are_out and ends.ends(len(self._utterance), self._utterance[-1].text):
            return [self._end(self._heard)]
        if ends.is_silent(self._words.pads - self._manner.delay):
            return [self._end(self._heard - self._manner.delay)]
        if ends.is_too_long(self._heard - self._utterance[0].start):
            return [self._end(self._utterance[-1].end)]
        return []

    def _after_silence(self, frames: int) -> list[Event]:
        """More of it, or the words are out."""
        waits_for_end = self._words.open or self._words.pads < PADS
        if frames < self._manner.delay or (waits_for_end and frames < self._manner.delay + LATEST):
            return []
        events: list[Event] = []
        if word := self._words.end(self._timeline.frames(self._n)):
            events.append(self._tell(word))
        self._silence = None
        self._end_points.note_words_are_out()
        if self._utterance and (
            self._must_end or self._end_points.ends(len(self._utterance), self._utterance[-1].text)
        ):
            events.append(self._end(self._heard))
        self._must_end = False
        return events

    def _end(self, settled: int) -> EndPoint:
        """`settled`: the frame before which no word will come any more."""
        start, end = self._utterance[0].start, self._utterance[-1].end
        self._utterance = []
        self._settled = max(self._settled, self._sample(settled))
        return EndPoint(self._seconds(start), self._seconds(end))

    def _settle(self) -> None:
        """Between utterances it moves on, so far behind that the next word can be heard whole from there."""
        if not self._utterance and not self._words.open:
            behind = self._heard - self._manner.delay - BEFORE_ONSET
            self._settled = max(self._settled, self._sample(max(0, behind)))

    # --- Positions ------------------------------------------------------------------------------------------------

    def _sample(self, frame: int) -> int:
        return self._position + frame * FRAME_SAMPLES

    def _seconds(self, frame: int) -> float:
        return round(self._sample(min(frame, self._heard)) / SAMPLE_RATE, 3)
