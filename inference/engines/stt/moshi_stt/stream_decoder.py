"""Decoder of one stream: turns the results of the model's steps into events."""

from collections.abc import Callable
from dataclasses import dataclass

from inference.engines.stt.moshi_stt.endpointing import EndpointDetector
from inference.engines.stt.moshi_stt.words import RecognizedWord, Timeline, WordAssembler
from inference.messages import FRAME_SAMPLES, SAMPLE_RATE, Endpoint, Endpointing, Event, Partial, Step, Word

MIN_PADS = 3
"""Steps without text after which, once the delay has passed, no more words are coming."""
MAX_FLUSH = 12
"""Frames of silence after the delay by which the last word has ended."""
ONSET_MARGIN = 4
"""Frames before the start of a word that its recognition requires."""
SPEECH_THRESHOLD = 0.5
MIN_QUIET = 3
"""Frames without voice for a restart of the model: a quarter of a second."""


@dataclass(frozen=True)
class DecoderConfig:
    """Configuration shared by all streams of an engine."""

    delay: int  # frames
    lead: int  # frames of silence before the first frame of the speaker
    flushes_on_pause: bool
    """Process a burst of silence after a pause, to flush the last words before the delay is over."""
    predicts_pauses: bool
    """The model has heads that predict pauses."""
    decode: Callable[[list[int]], str]
    id_to_piece: Callable[[int], str]


class StreamDecoder:
    def __init__(self, config: DecoderConfig, position: int, endpointing: Endpointing) -> None:
        self._config = config
        self._position = position
        self._endpoints = EndpointDetector(endpointing)
        self._processed = 0  # frames of the speaker
        self._voiced_until = 0  # frame after the last one with voice
        self._silence: int | None = None  # frames of silence processed to flush words; None: not flushing
        self._must_end = False
        self._segment_words: list[RecognizedWord] = []
        self._final_until = position
        self._last_partial = ""
        self.restart()

    def restart(self) -> None:
        """The model starts over with the next frame, as at the start of a stream. Do this only if `may_restart`."""
        self._timeline = Timeline(self._config.delay, self._config.lead, self._processed)
        self._words = WordAssembler(self._config.decode, self._config.id_to_piece, self._timeline)
        self._n = 1 + self._config.lead  # steps of the language model

    @property
    def may_restart(self) -> bool:
        """Whether a restart of the model would lose nothing: it is quiet, and all words are written."""
        if self.needs_silence or self._segment_words or self._words.begun_at is not None:
            return False
        is_quiet = self._processed - self._voiced_until >= MIN_QUIET
        return is_quiet and self._timeline.frames(self._n) >= self._voiced_until

    @property
    def needs_silence(self) -> bool:
        """The next step must process silence instead of the speaker's audio."""
        return self._silence is not None

    def flush_words(self) -> bool:
        """Start flushing, because the audio pauses or ends here; return whether silence must be processed for that."""
        if self._processed:
            self._must_end = True
            self._silence = self._silence or 0
        return self.needs_silence

    def process(self, token: int, confidence: float, pauses: list[float], speech: float) -> list[Event]:
        """Process a step's result. `pauses`: of the heads; `speech`: the voice activity of the frame, 0 to 1."""
        self._n += 1
        if self._silence is not None:
            self._silence += 1
            self._timeline.insert_silence(self._n)
            return self._add_token(token, confidence) + self._after_silence(self._silence)
        self._processed += 1
        if speech > SPEECH_THRESHOLD:
            self._voiced_until = self._processed
        events = self._add_token(token, confidence)
        self._endpoints.process(pauses)
        events += self._detect_endpoint()
        self._advance_final_until()
        predicted = [round(pause, 3) for pause in pauses] if self._config.predicts_pauses else []
        step = Step(
            self._sample(self._processed),
            self._final_until,
            round(speech, 3),
            predicted,
            self._sample(self._words_until),
        )
        return [*events, step]

    def _add_token(self, token: int, confidence: float) -> list[Event]:
        events: list[Event] = []
        if word := self._words.add_token(self._n, token, confidence):
            events.append(self._emit_word(word))
        if (text := self._words.open) != self._last_partial:
            self._last_partial = text
            events.append(Partial(text, self._seconds(self._words.open_since), self._seconds(self._processed)))
        return events

    def _emit_word(self, word: RecognizedWord) -> Word:
        self._segment_words.append(word)
        self._last_partial = ""
        return Word(word.text, self._seconds(word.start), self._seconds(word.end), round(word.confidence, 3))

    def _detect_endpoint(self) -> list[Event]:
        endpoints = self._endpoints
        if endpoints.is_new_pause and self._config.flushes_on_pause:
            self._silence = 0
            return []
        if not self._segment_words or self._words.open:
            return []
        words_are_flushed = self._config.flushes_on_pause or endpoints.pause_frames > self._config.delay
        if words_are_flushed and endpoints.is_endpoint(len(self._segment_words), self._segment_words[-1].text):
            return [self._end(self._processed)]
        if endpoints.is_silent(self._words.pads - self._config.delay):
            return [self._end(self._processed - self._config.delay)]
        if endpoints.is_too_long(self._processed - self._segment_words[0].start):
            return [self._end(self._segment_words[-1].end)]
        return []

    def _after_silence(self, frames: int) -> list[Event]:
        """Go on with the silence, or finish the flush."""
        word_may_continue = self._words.open or self._words.pads < MIN_PADS
        if frames < self._config.delay or (word_may_continue and frames < self._config.delay + MAX_FLUSH):
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

    def _end(self, final_until: int) -> Endpoint:
        """End the segment. `final_until`: the frame before which no further word can begin."""
        start, end = self._segment_words[0].start, self._segment_words[-1].end
        self._segment_words = []
        self._final_until = max(self._final_until, self._sample(final_until))
        return Endpoint(self._seconds(start), self._seconds(end))

    def _advance_final_until(self) -> None:
        """Advance between segments, but stay far enough behind for the next word to be recognized from there."""
        if not self._segment_words and not self._words.open:
            behind = self._processed - self._config.delay - ONSET_MARGIN
            self._final_until = max(self._final_until, self._sample(max(0, behind)))

    @property
    def _words_until(self) -> int:
        """The frame before which every word was emitted: words are final one by one, long before their segment ends."""
        begun = self._words.begun_at
        return min(self._timeline.frames(self._n) if begun is None else begun, self._processed)

    def _sample(self, frame: int) -> int:
        return self._position + frame * FRAME_SAMPLES

    def _seconds(self, frame: int) -> float:
        return round(self._sample(min(frame, self._processed)) / SAMPLE_RATE, 3)
