"""What interrupts a reply, and what only pauses it."""

import pytest

from speech.dialogue.turns.turn_taking import ECHO_SETTLE, FALSE_ALARM, RESUME_AFTER, Generate, Signal, State
from speech.dialogue.turns.user_speech import BACKCHANNEL
from tests.speech.dialogue.turns.talk import FRAME, replying


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
