"""Whose turn it is: decides from the user's speech when the user has finished, and when they interrupt.

Nothing here waits or reads a clock: all times are samples of the microphone's audio.
"""

from dataclasses import dataclass
from enum import Enum, auto

from inference.messages import SAMPLE_RATE
from speech.dialogue.turns.echo_verdict import EchoVerdict
from speech.dialogue.turns.end_of_turn import PAUSE_PROBABILITY, UNCLEAR, silence_needed
from speech.dialogue.turns.user_speech import UserSpeech, is_backchannel
from speech.text.word_spacing import join_words

LULL = 0.4
"""Seconds of silence after which the reply to the text so far is generated, and withheld."""
HOLD_FRAMES = 2
"""Frames of speech in a row that pause a reply, if the first one isn't clear: 0.16 s, less than a word. To pause it for
nothing costs little; to talk over the user costs more."""
RESUME_AFTER = 0.4
"""Seconds of silence after a back-channel until the reply continues."""
FALSE_ALARM = 2.0
"""Seconds without words after which a paused reply continues (LiveKit's value)."""
ECHO_SETTLE = 3.0
"""Seconds of the first reply that speech can't interrupt: echo cancellers adapt meanwhile (LiveKit's value)."""


class State(Enum):
    """Whose turn it is.

    | state     | what happens                        | until                                                     |
    | --------- | ----------------------------------- | --------------------------------------------------------- |
    | LISTENING | the user speaks or is silent        | a lull after words: ENDING                                |
    | ENDING    | the reply is generated and withheld | the silence is long enough and the words final: REPLYING; |
    |           |                                     | the user goes on: LISTENING                               |
    | REPLYING  | the reply is played                 | it is played to its end: LISTENING; the user speaks: HELD, |
    |           |                                     | or LISTENING, with the turn reopened, if nothing is audible |
    | HELD      | the reply is paused                 | words come, and the reply is cut: LISTENING;              |
    |           |                                     | the speech was short, or no words come: REPLYING          |
    """

    LISTENING = "listening"
    ENDING = "ending"
    REPLYING = "replying"
    HELD = "held"


class Signal(Enum):
    DISCARD = auto()
    """Drop the reply that is withheld."""
    FLUSH = auto()
    """Have the engine finish its words; `on_flushed` follows."""
    REOPEN = auto()
    """Drop the reply, of which nothing was audible, and the turn that it answers: the user continues it."""
    HOLD = auto()
    """Pause the reply."""
    RESUME = auto()
    CUT = auto()
    """End the reply for good."""


@dataclass(frozen=True)
class Generate:
    """Generate the reply to a text and withhold it, in place of one that is withheld."""

    text: str


@dataclass(frozen=True)
class Play:
    """The user's turn is over, with this text: play the reply that was generated for it."""

    text: str


Action = Signal | Generate | Play


class TurnTaking:
    def __init__(self, language: str = "", speculates: bool = True, push_to_talk: bool = False) -> None:
        """`language`: BCP 47 tag. `speculates`: generate replies before it is certain that the user has finished.
        `push_to_talk`: only `on_released` ends a turn."""
        self.state = State.LISTENING
        self.language = language
        self.speculates = speculates
        self.speech = UserSpeech()
        self._push_to_talk = push_to_talk
        self._words: list[tuple[int, str]] = []  # index in the session, text
        self._partial = ""
        self._generated: str | None = None  # text whose reply is withheld
        self._is_flushing = False
        self._answered: list[tuple[int, str]] = []  # words of the turn that the reply answers
        self._is_audible = False  # the reply
        self._held_at = 0
        self._interruptible_from: int | None = None  # sample; None before the first reply
        self.echo = EchoVerdict()
        self._awaits_onset = False  # speech that was a false alarm must end before it can pause the reply again

    @property
    def text(self) -> str:
        """Words of the user's turn so far."""
        return join_words([*(text for _, text in self._words), self._partial])

    # --- From the engine --------------------------------------------------------------------------------------------

    def on_step(self, sample: int, activity: float, pauses: list[float], is_echo: bool = False) -> list[Action]:
        """The engine has processed the audio before `sample`, with voice activity just before it. `pauses`: probability
        of a pause of 0.5 s, 1 s and so on; empty if the engine predicts none. `is_echo`: the microphone's latest audio
        is the reply's."""
        self.speech.add(sample, activity)
        if self.speech.frames:
            self.echo.add(is_echo)
        else:
            self._awaits_onset = False
        match self.state:
            case State.LISTENING if self.text and self._is_lull(pauses):
                return self._on_lull()
            case State.ENDING if self.speech.frames >= HOLD_FRAMES:
                self.state, self._is_flushing = State.LISTENING, False
                return self._discard()
            case State.ENDING if not self._is_flushing and self._is_over(pauses):
                self._is_flushing = True
                return [Signal.FLUSH]
            case State.REPLYING if not self._is_audible and self.speech.frames >= HOLD_FRAMES:
                return self._reopen()
            case State.REPLYING if self._should_hold:
                self.state, self._held_at = State.HELD, sample
                self._clear()
                return [Signal.HOLD]
            case State.HELD if self._is_false_alarm:
                return self._resume()
        return []

    def on_partial(self, text: str) -> list[Action]:
        self._partial = text
        if self.state is State.LISTENING and text and self.speech.silence > 0:
            return [] if self._push_to_talk else self._on_lull()
        return self._on_words(text)

    def on_word(self, index: int, text: str) -> list[Action]:
        """`index`: of the word in the session."""
        self._partial = ""
        self._words.append((index, text))
        return self._on_words(text)

    def on_flushed(self) -> list[Action]:
        """All words before the flush have arrived."""
        is_over, self._is_flushing = self._is_flushing, False
        self._partial = ""
        if not is_over:
            return []
        if self.text:
            return [*self._generate_if_changed(), *self._play()]
        self.state = State.LISTENING
        return self._discard()

    def on_engine_lost(self, words: int) -> list[Action]:
        """The engine was lost. Words from index `words` on will come again, with the audio that they are in."""
        self._words = [word for word in self._words if word[0] < words]
        self._partial = ""
        self.speech = UserSpeech()
        return self._resume() if self.state is State.HELD else []

    # --- From the user and the reply --------------------------------------------------------------------------------

    def on_typed(self, text: str) -> list[Action]:
        """The user typed a turn."""
        actions = self.on_interrupt()
        self._words = [(-1, text)]
        return [*actions, *self._generate_if_changed(), *self._play()]

    def on_released(self) -> list[Action]:
        """The user released the push-to-talk key, so the turn is over."""
        if self.state not in (State.LISTENING, State.ENDING) or self._is_flushing:
            return []
        self.state, self._is_flushing = State.ENDING, True
        return [Signal.FLUSH]

    def on_interrupt(self) -> list[Action]:
        """The user asked for silence."""
        is_reply = self.state in (State.REPLYING, State.HELD)
        self.state, self._is_flushing = State.LISTENING, False
        self._clear()
        return [Signal.CUT] if is_reply else self._discard()

    def on_unanswered(self, text: str) -> None:
        """The reply to the user's last turn was lost with the connection; it is played now."""
        self.state, self._answered, self._is_audible = State.REPLYING, [(-1, text)], False

    def on_announcement(self) -> None:
        """The site speaks, as if it were a reply."""
        self.state, self._answered, self._is_audible = State.REPLYING, [], True
        self.echo.start_reply()
        self._clear()

    def on_reply_audible(self) -> None:
        """The first audio of the reply is played."""
        self._is_audible = True
        if self._interruptible_from is None:
            self._interruptible_from = self.speech.sample + int(ECHO_SETTLE * SAMPLE_RATE)

    def on_reply_ended(self) -> None:
        """The reply was played to its end, or failed."""
        if self.state is State.REPLYING and not self.speech.is_going_on:
            self._clear()  # words of back-channels
        if self.state in (State.REPLYING, State.HELD):
            self.state = State.LISTENING

    # --- Rules ------------------------------------------------------------------------------------------------------

    def _is_lull(self, pauses: list[float]) -> bool:
        if self._push_to_talk:
            return False
        return self.speech.silence >= LULL or (bool(pauses) and pauses[0] > PAUSE_PROBABILITY)

    def _is_over(self, pauses: list[float]) -> bool:
        if self._push_to_talk:
            return False
        needed = silence_needed(self.text, self.language)
        if pauses:  # the head for the shortest pause mistakes the moment before a number for the end
            return pauses[1 if needed > UNCLEAR else 0] > PAUSE_PROBABILITY
        return self.speech.silence >= needed

    @property
    def _should_hold(self) -> bool:
        is_speech = self.speech.frames >= HOLD_FRAMES or self.speech.is_clear
        return is_speech and not self._awaits_onset and not self.echo.is_echo and self._is_interruptible

    @property
    def _is_interruptible(self) -> bool:
        return self._interruptible_from is not None and self.speech.sample >= self._interruptible_from

    @property
    def _is_backchannel(self) -> bool:
        return is_backchannel(self.speech.duration, self.text)

    @property
    def _is_false_alarm(self) -> bool:
        if self.echo.is_echo or (self.speech.silence >= RESUME_AFTER and self._is_backchannel):
            return True
        return self.speech.sample - self._held_at >= FALSE_ALARM * SAMPLE_RATE

    # --- Transitions ------------------------------------------------------------------------------------------------

    def _on_lull(self) -> list[Action]:
        self.state = State.ENDING
        return self._generate_if_changed() if self.speculates else []

    def _on_words(self, text: str) -> list[Action]:
        """Words change the reply that is withheld, and cut the one that is played unless they are a back-channel."""
        if self.state is State.ENDING and self._generated is not None:
            # Final words replace the partial text that the reply was generated for one by one.
            return [] if self._generated.startswith(self.text) else self._generate_if_changed()
        is_reply = self.state is State.HELD or (self.state is State.REPLYING and self._is_interruptible)
        if not text or not is_reply or self._is_backchannel or self.echo.is_echo:
            return []
        self.state = State.LISTENING
        return [Signal.CUT]

    def _reopen(self) -> list[Action]:
        self.state = State.LISTENING
        self._words = self._answered + self._words
        return [Signal.REOPEN]

    def _resume(self) -> list[Action]:
        self.state, self._awaits_onset = State.REPLYING, self.speech.frames > 0
        return [Signal.RESUME]

    def _generate_if_changed(self) -> list[Action]:
        if self._generated == self.text:
            return []
        self._generated = self.text
        return [Generate(self.text)]

    def _discard(self) -> list[Action]:
        was_generated, self._generated = self._generated is not None, None
        return [Signal.DISCARD] if was_generated else []

    def _play(self) -> list[Action]:
        text, self.state, self._generated = self.text, State.REPLYING, None
        self._answered, self._is_audible = self._words, False
        self.echo.start_reply()
        self._clear()
        return [Play(text)]

    def _clear(self) -> None:
        self._words, self._partial = [], ""
