"""One stream: what the steps of the model mean for it."""

from collections.abc import Callable
from dataclasses import dataclass

from inference.engines.stt.moshi_stt.endpointing import EndpointDetector
from inference.engines.stt.moshi_stt.words import RecognizedWord, Timeline, WordAssembler
from inference.messages import FRAME_SAMPLES, SAMPLE_RATE, Endpoint, Endpointing, Event, Partial, Step, Word

PADS = 3
"""Steps that write nothing after which, the delay past, nothing more is on its way."""
LATEST = 12
"""Frames of silence after the delay in which a last word has come to its end."""
BEFORE_ONSET = 4
"""Frames before a word's beginning from which it is heard whole."""


@dataclass(frozen=True)
class DecoderConfig:
    """What is the same for all streams of an engine."""

    delay: int  # frames
    lead: int  # frames of silence before the first of the speaker's
    flushes_on_pause: bool
    """A pause is followed by a burst of silence, so that the last words are out before the delay is over."""
    predicts_pauses: bool
    """It has heads that predict pauses."""
    decode: Callable[[list[int]], str]
    piece: Callable[[int], str]


class StreamDecoder:
    def __init__(self, manner: DecoderConfig, position: int, wishes: Endpointing) -> None:
        self._config = manner
        self._position = position
        self._timeline = Timeline(manner.delay, manner.lead)
        self._words = WordAssembler(manner.decode, manner.piece, self._timeline)
        self._endpoints = EndpointDetector(wishes)
        self._n = 1 + manner.lead  # steps of the language model
        self._processed = 0  # frames of the speaker's
        self._silence: int | None = None  # frames of it that were heard to bring the words out; None: it is not done
        self._must_end = False
        self._segment_words: list[RecognizedWord] = []
        self._final_until = position
        self._shown = ""

    @property
    def wants_silence(self) -> bool:
        """The next step is to hear silence instead of the speaker."""
        return self._silence is not None

    def flush_words(self) -> bool:
        """The audio pauses or ends here; whether there are words that silence may bring out."""
        if self._processed:
            self._must_end = True
            self._silence = self._silence or 0
        return self.wants_silence

    def process(self, token: int, confidence: float, pauses: list[float], speech: float) -> list[Event]:
        """What follows from a step: `pauses` are the heads', `speech` the voice activity of the frame, 0 to 1."""
        self._n += 1
        if self._silence is not None:
            self._silence += 1
            self._timeline.insert_silence(self._n)
            return self._write(token, confidence) + self._after_silence(self._silence)
        self._processed += 1
        events = self._write(token, confidence)
        self._endpoints.process(pauses)
        events += self._look_for_end()
        self._advance_final_until()
        told = [round(pause, 3) for pause in pauses] if self._config.predicts_pauses else []
        return [*events, Step(self._sample(self._processed), self._final_until, round(speech, 3), told)]

    # --- Words ----------------------------------------------------------------------------------------------------

    def _write(self, token: int, confidence: float) -> list[Event]:
        events: list[Event] = []
        if word := self._words.add_token(self._n, token, confidence):
            events.append(self._emit_word(word))
        if (text := self._words.open) != self._shown:
            self._shown = text
            events.append(Partial(text, self._seconds(self._words.open_since), self._seconds(self._processed)))
        return events

    def _emit_word(self, word: RecognizedWord) -> Word:
        self._segment_words.append(word)
        self._shown = ""
        return Word(word.text, self._seconds(word.start), self._seconds(word.end), round(word.confidence, 3))

    # --- The end of an utterance ----------------------------------------------------------------------------------

    def _look_for_end(self) -> list[Event]:
        ends = self._endpoints
        if ends.has_changed and self._config.flushes_on_pause:
            self._silence = 0
            return []
        if not self._segment_words or self._words.open:
            return []
        words_are_out = self._config.flushes_on_pause or ends.confidence > self._config.delay
        if words_are_out and ends.is_endpoint(len(self._segment_words), self._segment_words[-1].text):
            return [self._end(self._processed)]
        if ends.is_silent(self._words.pads - self._config.delay):
            return [self._end(self._processed - self._config.delay)]
        if ends.is_too_long(self._processed - self._segment_words[0].start):
            return [self._end(self._segment_words[-1].end)]
        return []

    def _after_silence(self, frames: int) -> list[Event]:
        """More of it, or the words are out."""
        waits_for_end = self._words.open or self._words.pads < PADS
        if frames < self._config.delay or (waits_for_end and frames < self._config.delay + LATEST):
            return []
        events: list[Event] = []
        if word := self._words.end(self._timeline.frames(self._n)):
            events.append(self._emit_word(word))
        self._silence = None
        self._endpoints.on_words_flushed()
        if self._segment_words and (
            self._must_end or self._endpoints.is_endpoint(len(self._segment_words), self._segment_words[-1].text)
        ):
            events.append(self._end(self._processed))
        self._must_end = False
        return events

    def _end(self, settled: int) -> Endpoint:
        """`settled`: the frame before which no word will come any more."""
        start, end = self._segment_words[0].start, self._segment_words[-1].end
        self._segment_words = []
        self._final_until = max(self._final_until, self._sample(settled))
        return Endpoint(self._seconds(start), self._seconds(end))

    def _advance_final_until(self) -> None:
        """Between utterances it moves on, so far behind that the next word can be heard whole from there."""
        if not self._segment_words and not self._words.open:
            behind = self._processed - self._config.delay - BEFORE_ONSET
            self._final_until = max(self._final_until, self._sample(max(0, behind)))

    # --- Positions ------------------------------------------------------------------------------------------------

    def _sample(self, frame: int) -> int:
        return self._position + frame * FRAME_SAMPLES

    def _seconds(self, frame: int) -> float:
        return round(self._sample(min(frame, self._processed)) / SAMPLE_RATE, 3)
