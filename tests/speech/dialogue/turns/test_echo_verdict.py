"""Replies that the microphone picks up, and users who speak during them."""

from speech.dialogue.turns.echo_verdict import CERTAIN_FRAMES, ECHO_FRAMES, PROVEN_FRAMES
from speech.dialogue.turns.turn_taking import HOLD_FRAMES, Signal
from tests.speech.dialogue.turns.talk import replying


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
