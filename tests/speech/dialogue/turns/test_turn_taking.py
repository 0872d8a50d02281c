"""The state machine of turns, frame by frame: no engine, no clock."""

import pytest

from inference.messages import FRAME_SAMPLES
from speech.dialogue.turns.echo_verdict import CERTAIN_FRAMES, ECHO_FRAMES, PROVEN_FRAMES
from speech.dialogue.turns.end_of_turn import COMPLETE, UNFINISHED
from speech.dialogue.turns.turn_taking import (
    ECHO_SETTLE,
    FALSE_ALARM,
    HOLD_FRAMES,
    RESUME_AFTER,
    Generate,
    Play,
    Signal,
    State,
    TurnTaking,
)
from speech.dialogue.turns.user_speech import BACKCHANNEL

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

    def flushed(self):
        self.actions += self.turns.on_flushed()
        return self

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


STATES = {State.LISTENING: listening, State.ENDING: ending, State.REPLYING: replying, State.HELD: held}

TABLE = [
    # Every event in every state: the state that follows, and the kinds of action.
    ("one frame of speech", lambda t: t.frames(1, 1.0), State.LISTENING, State.LISTENING, []),
    ("one frame of speech", lambda t: t.frames(1, 1.0), State.ENDING, State.ENDING, []),
    ("one frame of speech", lambda t: t.frames(1, 0.6), State.REPLYING, State.REPLYING, []),
    ("one frame of clear speech", lambda t: t.frames(1, 1.0), State.REPLYING, State.HELD, [Signal.HOLD]),
    ("speech", lambda t: t.speak(0.16), State.LISTENING, State.LISTENING, []),
    ("speech", lambda t: t.speak(0.16), State.ENDING, State.LISTENING, [Signal.DISCARD]),
    ("speech", lambda t: t.speak(0.16), State.REPLYING, State.HELD, [Signal.HOLD]),
    ("speech", lambda t: t.speak(0.16), State.HELD, State.HELD, []),
    ("silence", lambda t: t.quiet(2.5), State.LISTENING, State.LISTENING, []),
    ("silence", lambda t: t.quiet(2.5), State.ENDING, State.ENDING, [Signal.FLUSH]),
    ("silence", lambda t: t.quiet(2.5), State.REPLYING, State.REPLYING, []),
    ("silence", lambda t: t.quiet(2.5), State.HELD, State.REPLYING, [Signal.RESUME]),
    ("partial text", lambda t: t.speak().partial("But"), State.LISTENING, State.LISTENING, []),
    ("partial text", lambda t: t.partial("Who are you? But"), State.ENDING, State.ENDING, [Generate]),
    ("partial text", lambda t: t.speak().partial("But"), State.REPLYING, State.LISTENING, [Signal.HOLD, Signal.CUT]),
    ("partial text", lambda t: t.speak().partial("But"), State.HELD, State.LISTENING, [Signal.CUT]),
    ("empty partial", lambda t: t.speak().partial(""), State.HELD, State.HELD, []),
    ("word", lambda t: t.speak().say("But"), State.LISTENING, State.LISTENING, []),
    ("word", lambda t: t.say("Who are you?"), State.ENDING, State.ENDING, []),
    ("another word", lambda t: t.say("Who are they?"), State.ENDING, State.ENDING, [Generate]),
    ("word", lambda t: t.speak().say("But"), State.REPLYING, State.LISTENING, [Signal.HOLD, Signal.CUT]),
    ("word", lambda t: t.speak().say("But"), State.HELD, State.LISTENING, [Signal.CUT]),
    ("flushed", lambda t: t.flushed(), State.LISTENING, State.LISTENING, []),
    ("flushed", lambda t: t.flushed(), State.REPLYING, State.REPLYING, []),
    ("flushed", lambda t: t.flushed(), State.HELD, State.HELD, []),
    ("typed", lambda t: act(t, t.turns.on_typed("Hi")), State.LISTENING, State.REPLYING, [Generate, Play]),
    ("typed", lambda t: act(t, t.turns.on_typed("Hi")), State.ENDING, State.REPLYING, [Signal.DISCARD, Generate, Play]),
    ("typed", lambda t: act(t, t.turns.on_typed("Hi")), State.REPLYING, State.REPLYING, [Signal.CUT, Generate, Play]),
    ("typed", lambda t: act(t, t.turns.on_typed("Hi")), State.HELD, State.REPLYING, [Signal.CUT, Generate, Play]),
    ("interrupt", lambda t: act(t, t.turns.on_interrupt()), State.LISTENING, State.LISTENING, []),
    ("interrupt", lambda t: act(t, t.turns.on_interrupt()), State.ENDING, State.LISTENING, [Signal.DISCARD]),
    ("interrupt", lambda t: act(t, t.turns.on_interrupt()), State.REPLYING, State.LISTENING, [Signal.CUT]),
    ("interrupt", lambda t: act(t, t.turns.on_interrupt()), State.HELD, State.LISTENING, [Signal.CUT]),
    ("released", lambda t: act(t, t.turns.on_released()), State.LISTENING, State.ENDING, [Signal.FLUSH]),
    ("released", lambda t: act(t, t.turns.on_released()), State.ENDING, State.ENDING, [Signal.FLUSH]),
    ("released", lambda t: act(t, t.turns.on_released()), State.REPLYING, State.REPLYING, []),
    ("released", lambda t: act(t, t.turns.on_released()), State.HELD, State.HELD, []),
    ("engine lost", lambda t: act(t, t.turns.on_engine_lost(0)), State.LISTENING, State.LISTENING, []),
    ("engine lost", lambda t: act(t, t.turns.on_engine_lost(0)), State.ENDING, State.ENDING, []),
    ("engine lost", lambda t: act(t, t.turns.on_engine_lost(0)), State.REPLYING, State.REPLYING, []),
    ("engine lost", lambda t: act(t, t.turns.on_engine_lost(0)), State.HELD, State.REPLYING, [Signal.RESUME]),
    ("reply ended", lambda t: t.turns.on_reply_ended(), State.LISTENING, State.LISTENING, []),
    ("reply ended", lambda t: t.turns.on_reply_ended(), State.ENDING, State.ENDING, []),
    ("reply ended", lambda t: t.turns.on_reply_ended(), State.REPLYING, State.LISTENING, []),
    ("reply ended", lambda t: t.turns.on_reply_ended(), State.HELD, State.LISTENING, []),
    ("announcement", lambda t: t.turns.on_announcement(), State.LISTENING, State.REPLYING, []),
]


def act(talk: Talk, actions: list) -> None:
    talk.actions += actions


@pytest.mark.parametrize(
    ("happens", "before", "after", "actions"),
    [pytest.param(*row[1:], id=f"{row[0]} while {row[2].value}") for row in TABLE],
)
def test_an_event_in_a_state(happens, before, after, actions):
    talk = STATES[before]()
    happens(talk)
    taken = talk.taken()
    assert talk.state is after
    assert [type(action) if isinstance(action, Generate | Play) else action for action in taken] == actions


# --- The end of a turn ------------------------------------------------------------------------------------------------


def test_a_turn_ends_after_silence_and_its_reply_is_generated_at_the_lull():
    talk = listening().speak().partial("Who are you?").quiet(0.32)
    assert talk.taken() == []
    assert talk.partial("Who are you?").taken() == [Generate("Who are you?")]
    assert talk.quiet(COMPLETE).taken() == [Signal.FLUSH]
    talk.say("Who are you?")
    assert talk.taken() == []  # the words are those that the reply was generated for
    assert talk.flushed().taken() == [Play("Who are you?")]
    assert talk.state is State.REPLYING


def test_a_text_that_looks_unfinished_gets_more_silence():
    talk = listening().speak().partial("My name is and").quiet(1.2)
    assert talk.taken() == [Generate("My name is and")]
    assert talk.quiet(UNFINISHED - 1.2 + FRAME).taken() == [Signal.FLUSH]


def test_a_resumed_sentence_drops_the_reply_to_its_first_half():
    talk = listening().speak().partial("I would like").quiet(0.5)
    assert talk.taken() == [Generate("I would like")]
    assert talk.speak(0.24).taken() == [Signal.DISCARD]
    talk.speak().partial("I would like some tea.").quiet(0.5)
    assert talk.taken() == [Generate("I would like some tea."), Signal.FLUSH]


def test_speech_during_the_flush_continues_the_turn():
    talk = listening().speak().partial("Tell me.").quiet(0.5)
    assert Signal.FLUSH in talk.taken()
    assert talk.speak(0.24).taken() == [Signal.DISCARD]
    assert talk.say("Tell me.").flushed().taken() == []
    assert talk.state is State.LISTENING
    talk.speak().partial("More.").quiet(0.5)
    assert talk.taken() == [Generate("Tell me. More."), Signal.FLUSH]


def test_a_user_who_continues_before_the_reply_is_audible_reopens_their_turn():
    talk = replying(is_audible=False)
    assert talk.speak(0.16).taken() == [Signal.REOPEN]
    assert talk.state is State.LISTENING
    talk.speak().partial("And why?").quiet(0.5)
    assert talk.taken() == [Generate("Who are you? And why?"), Signal.FLUSH]


def test_a_noise_before_the_reply_is_audible_only_delays_it():
    talk = replying(is_audible=False).speak(0.16).quiet(1.0)
    assert talk.taken() == [Signal.REOPEN, Generate("Who are you?"), Signal.FLUSH]
    assert talk.flushed().taken() == [Play("Who are you?")]


def test_nothing_is_generated_early_for_a_model_that_is_paid_by_the_token():
    talk = listening(speculates=False).speak().partial("Who are you?").quiet(0.5)
    assert talk.taken() == [Signal.FLUSH]
    assert talk.say("Who are you?").flushed().taken() == [Generate("Who are you?"), Play("Who are you?")]


def test_a_flush_without_words_returns_to_listening():
    talk = ending().quiet(0.2)
    talk.partial("")
    talk.taken()
    assert talk.flushed().taken() == [Signal.DISCARD]
    assert talk.state is State.LISTENING


def test_a_predicted_pause_ends_a_turn_without_waiting_for_silence():
    talk = listening().speak(pauses=[0.1, 0, 0, 0]).say("Yes.")
    assert talk.frames(1, 1.0, pauses=[0.7, 0.1, 0, 0]).taken() == [Generate("Yes.")]
    assert talk.frames(1, 0.0, pauses=[0.7, 0.1, 0, 0]).taken() == [Signal.FLUSH]


def test_after_a_number_the_predicted_pause_must_be_longer():
    talk = listening().speak(pauses=[0.1, 0, 0, 0]).say("My number is four two")
    assert Signal.FLUSH not in talk.frames(10, 0.0, pauses=[0.9, 0.2, 0, 0]).taken()
    assert Signal.FLUSH in talk.frames(1, 0.0, pauses=[0.9, 0.7, 0, 0]).taken()


def test_words_that_come_again_after_a_lost_engine_are_not_doubled():
    talk = listening().speak().say("One two")
    talk.turns.on_engine_lost(1)
    talk.words = 1
    assert talk.say("two three").turns.text == "One two three"


# --- Push to talk -----------------------------------------------------------------------------------------------------


def test_with_push_to_talk_only_the_key_ends_a_turn():
    talk = listening(push_to_talk=True).speak().partial("Who are you?").quiet(5)
    assert (talk.state, talk.taken()) == (State.LISTENING, [])
    act(talk, talk.turns.on_released())
    talk.say("Who are you?").flushed()
    assert talk.taken() == [Signal.FLUSH, Generate("Who are you?"), Play("Who are you?")]


# --- Interruptions ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seconds", [0.16, 0.24, 0.4, BACKCHANNEL - 0.04])
def test_a_back_channel_pauses_the_reply_briefly_whatever_the_engine_makes_of_it(seconds):
    talk = replying().speak(round(seconds / FRAME) * FRAME)
    talk.partial("And make him,").quiet(RESUME_AFTER + FRAME)
    assert talk.taken() == [Signal.HOLD, Signal.RESUME]
    talk.say("And make him,")
    assert (talk.state, talk.taken()) == (State.REPLYING, [])
    talk.turns.on_reply_ended()
    assert talk.turns.text == ""  # the next turn begins without it


def test_a_stop_word_interrupts_however_short_it_is():
    talk = replying().speak(0.24).partial("Stop.")
    assert talk.taken() == [Signal.HOLD, Signal.CUT]


def test_a_question_interrupts_however_short_it_is():
    talk = replying().speak(0.56).partial("But why?")
    assert talk.taken() == [Signal.HOLD, Signal.CUT]


def test_a_noise_without_words_is_a_false_alarm():
    talk = replying().speak(FALSE_ALARM + 0.4)
    assert talk.taken() == [Signal.HOLD, Signal.RESUME]
    assert talk.speak(2.0).taken() == []  # the same noise goes on
    assert talk.quiet(0.08).speak(0.16).taken() == [Signal.HOLD]  # a new one


def test_words_after_a_false_alarm_still_interrupt():
    talk = replying().speak(FALSE_ALARM + 0.4)
    talk.taken()
    assert talk.partial("Excuse me").taken() == [Signal.CUT]


def test_the_words_that_interrupt_begin_the_next_turn():
    talk = replying().speak(0.8).partial("But how")
    talk.speak(0.4).partial("But how old?").quiet(0.5)
    assert talk.taken() == [Signal.HOLD, Signal.CUT, Generate("But how old?"), Signal.FLUSH]


def test_the_first_seconds_of_the_first_reply_cannot_be_interrupted_by_voice():
    talk = replying(is_audible=False).audible()
    assert talk.speak(ECHO_SETTLE - 0.2).partial("Me again").taken() == []
    assert talk.speak(0.32).taken() == [Signal.HOLD]


def test_the_second_reply_can_be_interrupted_at_once():
    talk = replying()
    talk.turns.on_reply_ended()
    talk.speak().partial("Why?").quiet(0.5).say("Why?").flushed()
    talk.audible().taken()
    assert talk.speak(0.16).taken() == [Signal.HOLD]


def test_speech_at_the_end_of_a_reply_belongs_to_the_next_turn():
    talk = replying().frames(1, 0.6).say("And")
    talk.turns.on_reply_ended()
    assert talk.turns.text == "And"


# --- Echo -------------------------------------------------------------------------------------------------------------


def test_a_reply_that_the_microphone_picks_up_goes_on():
    talk = replying().frames(HOLD_FRAMES, 1.0).frames(ECHO_FRAMES, 1.0, is_echo=True)
    assert talk.taken() == [Signal.HOLD, Signal.RESUME]
    talk.speak(2.0, is_echo=True).partial("To boil an egg")
    assert talk.taken() == []


def test_words_of_an_echo_that_come_in_its_pause_interrupt_nothing():
    talk = replying().frames(1, 0.6).speak(1.0, is_echo=True).quiet(0.24).partial("To boil an egg")
    talk.quiet(0.5).say("To boil an egg")
    assert Signal.CUT not in talk.taken()


def test_speech_that_resembles_the_reply_for_a_moment_interrupts_it():
    talk = replying().frames(HOLD_FRAMES, 1.0).frames(ECHO_FRAMES - 1, 1.0, is_echo=True).speak(0.8)
    assert talk.partial("But how").taken() == [Signal.HOLD, Signal.CUT]
    assert not talk.turns.echo.picks_up_replies


def test_where_the_microphone_picks_up_replies_speech_must_prove_to_be_the_users():
    talk = replying().frames(CERTAIN_FRAMES, 1.0, is_echo=True).quiet(0.5)
    assert talk.turns.echo.picks_up_replies
    talk.taken()
    assert talk.frames(PROVEN_FRAMES - 1, 1.0).partial("To boil an egg").taken() == []
    assert talk.frames(1, 1.0).partial("But how").taken() == [Signal.HOLD, Signal.CUT]


def test_the_users_own_turn_proves_nothing_about_the_next_reply():
    talk = replying().frames(CERTAIN_FRAMES, 1.0, is_echo=True)
    talk.turns.on_reply_ended()
    talk.quiet(0.5).speak(3.0).partial("Why?").quiet(0.5).say("Why?").flushed()
    talk.audible().taken()
    assert talk.frames(PROVEN_FRAMES - 1, 1.0).taken() == []


def test_an_echo_without_voice_activity_is_of_no_interest():
    assert not replying().quiet(5, is_echo=True).turns.echo.picks_up_replies
