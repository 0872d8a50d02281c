"""Every event in every state of the state machine of turns."""

import pytest

from speech.dialogue.turns.turn_taking import Generate, Play, Signal, State
from tests.speech.dialogue.turns.talk import ending, held, listening, replying

STATES = {State.LISTENING: listening, State.ENDING: ending, State.REPLYING: replying, State.HELD: held}

TABLE = [
    # What happens, the states before and after it, and the kinds of action.
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
    ("typed", lambda t: t.act(t.turns.on_typed("Hi")), State.LISTENING, State.REPLYING, [Generate, Play]),
    ("typed", lambda t: t.act(t.turns.on_typed("Hi")), State.ENDING, State.REPLYING, [Signal.DISCARD, Generate, Play]),
    ("typed", lambda t: t.act(t.turns.on_typed("Hi")), State.REPLYING, State.REPLYING, [Signal.CUT, Generate, Play]),
    ("typed", lambda t: t.act(t.turns.on_typed("Hi")), State.HELD, State.REPLYING, [Signal.CUT, Generate, Play]),
    ("interrupt", lambda t: t.act(t.turns.on_interrupt()), State.LISTENING, State.LISTENING, []),
    ("interrupt", lambda t: t.act(t.turns.on_interrupt()), State.ENDING, State.LISTENING, [Signal.DISCARD]),
    ("interrupt", lambda t: t.act(t.turns.on_interrupt()), State.REPLYING, State.LISTENING, [Signal.CUT]),
    ("interrupt", lambda t: t.act(t.turns.on_interrupt()), State.HELD, State.LISTENING, [Signal.CUT]),
    ("released", lambda t: t.act(t.turns.on_released()), State.LISTENING, State.ENDING, [Signal.FLUSH]),
    ("released", lambda t: t.act(t.turns.on_released()), State.ENDING, State.ENDING, [Signal.FLUSH]),
    ("released", lambda t: t.act(t.turns.on_released()), State.REPLYING, State.REPLYING, []),
    ("released", lambda t: t.act(t.turns.on_released()), State.HELD, State.HELD, []),
    ("engine lost", lambda t: t.act(t.turns.on_engine_lost(0)), State.LISTENING, State.LISTENING, []),
    ("engine lost", lambda t: t.act(t.turns.on_engine_lost(0)), State.ENDING, State.ENDING, []),
    ("engine lost", lambda t: t.act(t.turns.on_engine_lost(0)), State.REPLYING, State.REPLYING, []),
    ("engine lost", lambda t: t.act(t.turns.on_engine_lost(0)), State.HELD, State.REPLYING, [Signal.RESUME]),
    ("reply ended", lambda t: t.turns.on_reply_ended(), State.LISTENING, State.LISTENING, []),
    ("reply ended", lambda t: t.turns.on_reply_ended(), State.ENDING, State.ENDING, []),
    ("reply ended", lambda t: t.turns.on_reply_ended(), State.REPLYING, State.LISTENING, []),
    ("reply ended", lambda t: t.turns.on_reply_ended(), State.HELD, State.LISTENING, []),
    ("announcement", lambda t: t.turns.on_announcement(), State.LISTENING, State.REPLYING, []),
]


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
