"""A segment, the text of a slot up to the next flush: the package's state machine for it, and its word times.

The model writes its text ahead of its speech and decides at each step whether it takes the next word. A slot can
therefore step only while the words that the model may take are present.
"""

from dataclasses import dataclass

from moshi.models.tts import TTSModel

from inference.engines.tts.moshi_tts.text_tokenizer import TextTokenizer

LEAD_IN = 2
"""Frames before the first word. They contain a click; upstream drops them too."""


@dataclass(frozen=True)
class TimedWord:
    text: str
    start: int  # frames from the beginning of the segment's audio
    end: int


class Segment:
    def __init__(self, model: TTSModel) -> None:
        self._machine = model.machine
        self._state = model.machine.new_state([])
        self._text_tokenizer = TextTokenizer(model)
        self._silent_steps = model.delay_steps
        self._first_frame = model.delay_steps + max(model.lm.delays)
        self._final_padding = model.final_padding
        self._is_complete = False
        self._steps = 0
        self._next_input: int | None = None  # of this step, once its token is processed
        self._open: tuple[str, int] | None = None  # the word being written, and the step that took it
        self._timed_words: list[TimedWord] = []

    def add(self, text: str) -> None:
        self._state.entries.extend(self._text_tokenizer.entries(text))

    def finish(self) -> None:
        """Mark the text as complete."""
        self._is_complete = True

    @property
    def can_step(self) -> bool:
        """True if it is not over and has every word that the model may take, with those of its look-ahead."""
        if self.is_over:
            return False
        return self._is_complete or self._takes_nothing or self._has_words_ahead

    @property
    def is_over(self) -> bool:
        if self._state.end_step is None:
            return self._is_complete and self._steps == 0 and not self._state.entries
        return self._steps >= self._state.end_step + self._first_frame + self._final_padding

    @property
    def is_silent(self) -> bool:
        """True if the next step writes only text: speech has not begun."""
        return self._steps < self._silent_steps

    @property
    def gives_frame(self) -> bool:
        """True if the next step returns a frame of audio."""
        return self._steps >= self._first_frame

    @property
    def is_lead_in(self) -> bool:
        """True if the frame of the last step precedes the first word and is dropped."""
        return self._steps <= self._first_frame + LEAD_IN

    @property
    def _takes_nothing(self) -> bool:
        """True while the machine forces tokens of words already taken, or the silence before the first word."""
        has_begun = self._state.entries or self._state.consumption_times
        return bool(self._state.queued or (has_begun and self._state.forced_padding > 0))

    @property
    def _has_words_ahead(self) -> bool:
        entries = self._state.entries
        if entries and not entries[0].tokens:
            return True  # a pause
        return sum(bool(entry.tokens) for entry in entries) > self._machine.second_stream_ahead

    def process_token(self, token: int) -> int:
        """Process the model's text token of this step; returns its text input of the next step.

        A step that was interrupted is repeated: the text moves on only once.
        """
        if self._next_input is None:
            self._next_input = self._process_token(token)
        return self._next_input

    def count_step(self) -> None:
        self._steps += 1
        self._next_input = None

    def _process_token(self, token: int) -> int:
        words = len(self._state.transcript)
        next_input, has_taken_entry = self._machine.process(self._steps, self._state, token)
        if has_taken_entry:
            new = self._state.transcript[words:]
            self._record_entry(new[0][0] if new else None)
        if self._state.end_step == self._steps:
            self._close_word()
        return next_input

    def pop_timed_words(self) -> list[TimedWord]:
        """Words whose times became known since the last call."""
        if self.is_over:
            end = self._steps - self._first_frame
            self._add_timed_words(self._text_tokenizer.skipped, end, end)
            self._text_tokenizer.skipped = []
        words, self._timed_words = self._timed_words, []
        return words

    def _record_entry(self, text: str | None) -> None:
        """`text` is None for a pause, and empty if the entry continues a word."""
        if text != "":
            self._close_word()
        if text:
            self._open = text, self._steps

    def _close_word(self) -> None:
        if self._open is not None:
            text, start = self._open
            self._add_timed_words(text.split(), start, self._steps)
            self._open = None

    def _add_timed_words(self, words: list[str], start: int, end: int) -> None:
        """Only the last of the words is audible; the others get no duration."""
        start, end = max(0, start - LEAD_IN), max(0, end - LEAD_IN)
        for number, word in enumerate(words, 1):
            self._timed_words.append(TimedWord(word, start, end if number == len(words) else start))
