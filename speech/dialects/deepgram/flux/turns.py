"""Turns of a speaker: a state machine whose clock is the audio. What it emits is Deepgram's `TurnInfo`.

How sure it is that a turn is over follows from the silence, and from what the text looks like, as in conversations; of
engines that predict pauses, from these.
"""

from collections.abc import Callable, Iterator
from enum import Enum, auto
from typing import Any

from inference.messages import SAMPLE_RATE
from speech import events
from speech.dialects.deepgram.flux.query import DEFAULT_CONFIDENCE, Thresholds
from speech.dialects.deepgram.listen.formatting import Formatting, bare, confidence
from speech.dialogue.turns.end_of_turn import PAUSE_PROBABILITY, silence_needed

SPEECH_THRESHOLD = 0.5
UPDATE_INTERVAL = 0.2
"""Seconds of audio between two updates, in effect three frames: 0.24 s."""
MAX_CONFIDENCE = 0.99
MAX_LAG = 0.3
"""Seconds."""
PARTIAL_CONFIDENCE = 0.5
"""Of words that may still change; engines report none."""


class State(Enum):
    """
    | state    | until                                                                                |
    | -------- | ------------------------------------------------------------------------------------ |
    | WAITING  | there are words: `StartOfTurn`, TALKING                                              |
    | TALKING  | it may be over: `EagerEndOfTurn`, LULL. It is: ENDING                                |
    | LULL     | there are more words: `TurnResumed`, TALKING. It is over: ENDING                     |
    | ENDING   | its words are final: `EndOfTurn`, WAITING, for the next turn                         |
    """

    WAITING = auto()
    TALKING = auto()
    LULL = auto()
    ENDING = auto()


class Turns:
    """All times are in seconds."""

    def __init__(
        self,
        thresholds: Thresholds,
        formatting: Formatting,
        flush: Callable[[int], None],
        lag: Callable[[], float] = lambda: 0.0,
    ) -> None:
        """`flush(id)` finishes the words of all audio so far: `Flushed` follows. `lag()`: seconds of it that are not
        processed."""
        self.thresholds = thresholds
        self._formatting = formatting
        self._flush = flush
        self._lag = lag
        self._state = State.WAITING
        self._language = ""
        self._index = 0
        self._words: list[events.Word] = []  # of this turn
        self._earlier = 0  # words of earlier turns
        self._partial = ""
        self._start = self._processed = self._updated_at = self._voiced_until = 0.0
        self._pause = 0.0  # probability that the engine predicts
        self._lull_text = ""
        self._trigger = ""
        self._is_final = False  # the engine has ended its segment: its words are final

    def on_event(self, event: events.Event) -> Iterator[dict[str, Any]]:
        """Yield the messages for the event."""
        match event:
            case events.Ready(language=language):
                self._language = language
            case events.Step(sample=sample, speech=speech, pauses=pauses):
                self._processed = sample / SAMPLE_RATE
                self._pause = pauses[0] if pauses else 0.0
                if speech > SPEECH_THRESHOLD:
                    self._voiced_until = self._processed
                yield from self._on_time()
            case events.Partial(text=text):
                self._partial = text
                self._is_final &= not text
                yield from self._on_text()
            case events.Word() if event.index >= self._earlier + len(self._words):
                self._words.append(event)
                self._partial, self._is_final = "", False
                yield from self._on_text()
            case events.Endpoint():
                self._is_final = True
            case events.Interrupted(words=saved):
                self._words = [word for word in self._words if word.index < saved]
            case events.Flushed() if self._state is State.ENDING:
                yield from self._end()
            case events.Done() if self._state is not State.WAITING:
                self._trigger = self._trigger or "manual"
                yield from self._end()

    def force_end(self) -> None:
        """End the turn now, if there is one."""
        if self._state in (State.TALKING, State.LULL):
            self._end_soon("manual")

    @property
    def _text(self) -> str:
        return self._formatting.join([*(word.text for word in self._words), self._partial])

    @property
    def _silence(self) -> float:
        return self._processed - self._voiced_until

    @property
    def _confidence(self) -> float:
        """That the turn is over: at the silence that conversations need, it is Deepgram's default threshold."""
        if self._state is State.WAITING:
            return 0.0
        share = self._pause / PAUSE_PROBABILITY if self._pause else self._silence / self._silence_needed
        return min(MAX_CONFIDENCE, DEFAULT_CONFIDENCE * share)

    @property
    def _silence_needed(self) -> float:
        return silence_needed(self._text, self._language)

    def _on_text(self) -> Iterator[dict[str, Any]]:
        if not self._text or self._state is State.ENDING:
            return
        if self._state is State.WAITING:
            self._state = State.TALKING
            yield self._info("StartOfTurn")
        elif self._state is State.LULL and bare(self._text) != bare(self._lull_text):
            self._state = State.TALKING
            yield self._info("TurnResumed")

    def _on_time(self) -> Iterator[dict[str, Any]]:
        thresholds = self.thresholds
        if self._state in (State.TALKING, State.LULL):
            if self._silence >= thresholds.timeout:
                yield from self._end_if_possible("timeout")
            elif self._confidence >= thresholds.confidence:
                yield from self._end_if_possible("model")
            elif self._state is State.TALKING and thresholds.eager and self._confidence >= thresholds.eager:
                self._state, self._lull_text = State.LULL, self._text
                yield self._info("EagerEndOfTurn")
                return
        if self._processed - self._updated_at >= UPDATE_INTERVAL and self._state is not State.ENDING:
            yield self._info("Update")

    def _end_if_possible(self, trigger: str) -> Iterator[dict[str, Any]]:
        """A flush would cut what was said since, so with a lag the engine's own end of its segment is waited for."""
        if self._is_final:
            self._trigger = trigger
            yield from self._end()
        elif self._lag() < MAX_LAG:
            self._end_soon(trigger)

    def _end_soon(self, trigger: str) -> None:
        self._state, self._trigger = State.ENDING, trigger
        self._flush(self._index)

    def _end(self) -> Iterator[dict[str, Any]]:
        self._partial = ""
        if self._lull_text and bare(self._text) != bare(self._lull_text):
            yield self._info("TurnResumed")
        yield {**self._info("EndOfTurn"), "trigger": self._trigger}
        self._earlier += len(self._words)
        self._words, self._lull_text, self._trigger, self._is_final = [], "", "", False
        self._index, self._start, self._state = self._index + 1, self._processed, State.WAITING

    def _info(self, event: str) -> dict[str, Any]:
        self._updated_at = self._processed
        return {
            "type": "TurnInfo",
            "event": event,
            "turn_index": self._index,
            "audio_window_start": round(self._start, 3),
            "audio_window_end": round(self._processed, 3),
            "transcript": self._text,
            "words": [*map(self._word, self._words), *self._partial_words()],
            "end_of_turn_confidence": round(self._confidence, 3),
        }

    def _word(self, word: events.Word) -> dict[str, Any]:
        times = {"start": round(word.start, 3), "end": round(word.end, 3)}
        return {"word": self._formatting.text_of(word.text), "confidence": confidence(word), **times}

    def _partial_words(self) -> list[dict[str, Any]]:
        return [
            {"word": word, "confidence": PARTIAL_CONFIDENCE} for word in self._formatting.text_of(self._partial).split()
        ]
