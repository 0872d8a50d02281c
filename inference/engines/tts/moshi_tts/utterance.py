"""What one slot is saying, from its first word until everything is said: the package's state machine, and its times.

The model writes its text ahead of its speech. Whether it takes the next word at a step it decides itself, so a slot
can go on only while the words that it may ask for are there.
"""

from dataclasses import dataclass

from moshi.models.tts import TTSModel

from inference.engines.tts.moshi_tts.script import TextTokenizer

LEAD_IN = 2
"""Frames before the first word, which upstream drops: there is a click in them."""


@dataclass(frozen=True)
class SpokenWord:
    text: str
    start: int  # frames from the beginning of the utterance's audio
    end: int


class Utterance:
    def __init__(self, model: TTSModel) -> None:
        self._machine = model.machine
        self._state = model.machine.new_state([])
        self._script = TextTokenizer(model)
        self._silent_steps = model.delay_steps
        self._first_frame = model.delay_steps + max(model.lm.delays)
        self._last_padding = model.final_padding
        self._is_complete = False
        self._steps = 0
        self._open: tuple[str, int] | None = None  # the word being written, and the step that took it
        self._spoken: list[SpokenWord] = []

    def add(self, text: str) -> None:
        self._state.entries.extend(self._script.entries(text))

    def finish(self) -> None:
        """No more text will come."""
        self._is_complete = True

    @property
    def can_step(self) -> bool:
        """Not yet over, and every word is there that the model may ask for, with those that it looks ahead at."""
        if self.is_over:
            return False
        return self._is_complete or self._takes_nothing or self._has_words_ahead

    @property
    def is_over(self) -> bool:
        if self._state.end_step is None:
            return self._is_complete and self._steps == 0 and not self._state.entries
        return self._steps >= self._state.end_step + self._first_frame + self._last_padding

    @property
    def is_silent(self) -> bool:
        """The next step writes text only: its speech has not begun."""
        return self._steps < self._silent_steps

    @property
    def gives_frame(self) -> bool:
        """The next step gives a frame of audio."""
        return self._steps >= self._first_frame

    @property
    def is_lead_in(self) -> bool:
        """The frame of the last step is before the first word, and not to be heard."""
        return self._steps <= self._first_frame + LEAD_IN

    @property
    def _takes_nothing(self) -> bool:
        """The machine holds the model to what it has taken already, or to the silence before the first word."""
        has_begun = self._state.entries or self._state.consumption_times
        return bool(self._state.queued or (has_begun and self._state.forced_padding > 0))

    @property
    def _has_words_ahead(self) -> bool:
        entries = self._state.entries
        if entries and not entries[0].tokens:
            return True  # a pause
        return sum(bool(entry.tokens) for entry in entries) > self._machine.second_stream_ahead

    def add_token(self, token: int) -> int:
        """The model's text token of this step; what it shall read as text in the next."""
        words = len(self._state.transcript)
        taken, has_taken_entry = self._machine.process(self._steps, self._state, token)
        if has_taken_entry:
            new = self._state.transcript[words:]
            self._record_entry(new[0][0] if new else None)
        if self._state.end_step == self._steps:
            self._close()
        return taken

    def count_step(self) -> None:
        self._steps += 1

    def spoken(self) -> list[SpokenWord]:
        """The words whose times are known since this was last asked."""
        if self.is_over:
            end = self._steps - self._first_frame
            self._emit_words(self._script.skipped, end, end)
            self._script.skipped = []
        spoken, self._spoken = self._spoken, []
        return spoken

    def _record_entry(self, text: str | None) -> None:
        """`text` is None for a pause, and empty where a word goes on."""
        if text != "":
            self._close()
        if text:
            self._open = text, self._steps

    def _close(self) -> None:
        if self._open is not None:
            text, start = self._open
            self._emit_words(text.split(), start, self._steps)
            self._open = None

    def _emit_words(self, words: list[str], start: int, end: int) -> None:
        """All but the last of the words are not to be heard."""
        start, end = max(0, start - LEAD_IN), max(0, end - LEAD_IN)
        for number, word in enumerate(words, 1):
            self._spoken.append(SpokenWord(word, start, end if number == len(words) else start))
