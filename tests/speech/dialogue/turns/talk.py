"""The state machine of turns, driven frame by frame: no engine, no clock."""

from inference.messages import FRAME_SAMPLES
from speech.dialogue.turns.turn_taking import ECHO_SETTLE, HOLD_FRAMES, State, TurnTaking

FRAME = 0.08  # seconds


class Talk:
    """A `TurnTaking` and the actions that it has taken."""

    def __init__(self, **options) -> None:
        self.turns = TurnTaking("en", **options)
        self.sample = 0
        self.words = 0
        self.actions: list = []

    @property
    def state(self):
        return self.turns.state

    def frames(self, count: int, activity: float, pauses=(), is_echo=False):
        for _ in range(count):
            self.sample += FRAME_SAMPLES
            self.actions += self.turns.on_step(self.sample, activity, list(pauses), is_echo)
        return self

    def speak(self, seconds: float = 1.0, **options):
        return self.frames(round(seconds / FRAME), 1.0, **options)

    def quiet(self, seconds: float, **options):
        return self.frames(round(seconds / FRAME), 0.0, **options)

    def partial(self, text: str):
        self.actions += self.turns.on_partial(text)
        return self

    def say(self, text: str):
        """Final words."""
        for word in text.split():
            self.actions += self.turns.on_word(self.words, word)
            self.words += 1
        return self

    def act(self, actions: list):
        self.actions += actions
        return self

    def flushed(self):
        return self.act(self.turns.on_flushed())

    def audible(self):
        self.turns.on_reply_audible()
        return self

    def taken(self) -> list:
        """Actions since the last call."""
        actions, self.actions = self.actions, []
        return actions


def listening(**options) -> Talk:
    return Talk(**options)


def ending(**options) -> Talk:
    talk = Talk(**options).speak().partial("Who are you?").quiet(0.32).partial("Who are you?")
    assert talk.state is State.ENDING
    talk.taken()
    return talk


def replying(is_audible=True, **options) -> Talk:
    """The reply is playing, and can be interrupted by voice."""
    talk = ending(**options).quiet(0.16)
    talk.say("Who are you?").flushed()
    if is_audible:
        talk.audible().quiet(ECHO_SETTLE)
    assert talk.state is State.REPLYING
    talk.taken()
    return talk


def held(**options) -> Talk:
    talk = replying(**options).frames(HOLD_FRAMES, 1.0)
    assert talk.state is State.HELD
    talk.taken()
    return talk
