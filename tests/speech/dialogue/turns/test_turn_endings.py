"""When a turn ends, and when its reply is generated and played."""

from speech.dialogue.turns.end_of_turn import COMPLETE, UNFINISHED
from speech.dialogue.turns.turn_taking import Generate, Play, Signal, State
from tests.speech.dialogue.turns.talk import FRAME, ending, listening, replying


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


def test_with_push_to_talk_only_the_key_ends_a_turn():
    talk = listening(push_to_talk=True).speak().partial("Who are you?").quiet(5)
    assert (talk.state, talk.taken()) == (State.LISTENING, [])
    talk.act(talk.turns.on_released()).say("Who are you?").flushed()
    assert talk.taken() == [Signal.FLUSH, Generate("Who are you?"), Play("Who are you?")]
