"""Turns of whole conversations: spoken, typed, resumed, and with push-to-talk."""

import asyncio

import pytest

from inference.engines.testing.encoded_words import EncodedWords, silence
from inference.engines.testing.tones import pcm_of
from inference.messages import SAMPLE_RATE
from speech import errors, events
from speech.dialogue.replies import playback
from tests.support.speech.conversation import LONG_REPLY, said_in


async def test_a_spoken_question_gets_a_spoken_answer(talk, model):
    model.replies = {"Who are you?": ["I am ", "a test."]}
    client = await talk(instructions="Be brief.")
    reply = await client.ask("Who are you?")
    await client.listen_to_the_end()
    assert client.audio[reply] == pcm_of("I am a test.")
    assert [tuple(message) for message in model.requests[0]] == [("system", "Be brief."), ("user", "Who are you?")]
    assert len(model.requests) == 1  # the reply that was generated at the lull is the one that is played
    assert [word.text for word in client.all(events.ReplyWord)] == ["I", "am", "a", "test."]
    client.conversation.stop()
    await client.ended()
    assert await said_in(client.session) == [
        ("User", "Who are you?"),
        ("Assistant", "I am a test."),
    ]


async def test_the_engine_ends_segments_at_the_pauses_of_turns(talk, monkeypatch):
    requests = []
    open_slot = EncodedWords.open
    monkeypatch.setattr(
        EncodedWords, "open", lambda self, slot, request: (requests.append(request), open_slot(self, slot, request))
    )
    client = await talk()
    await client.ask("Who are you?")
    assert [request.awaits_turns for request in requests] == [True]


async def test_the_events_of_a_turn_come_in_order(talk):
    client = await talk()
    await client.ask("Who are you?")
    await client.listen_to_the_end()
    kinds = (events.TurnState, events.Turn, events.TurnLatency, events.ReplyStarted, events.ReplyEnded)
    names = [
        e.state if isinstance(e, events.TurnState) else type(e).__name__ for e in client.events if isinstance(e, kinds)
    ]
    assert names == ["ending", "Turn", "replying", "ReplyStarted", "TurnLatency", "ReplyEnded", "listening"]
    turn = client.all(events.Turn)[0]
    assert (turn.text, turn.is_typed, turn.end) == ("Who are you?", False, 9 * 1920)


async def test_a_reply_is_sent_at_most_a_window_ahead(talk, model):
    client = await talk()
    model.replies["Count."] = [LONG_REPLY]
    await client.ask("Count.")
    reply = client.reply
    await client.wait(lambda: len(client.audio[reply]) // 2 >= playback.WINDOW)
    await client.send(silence(0.5))
    assert len(client.audio[reply]) // 2 < playback.WINDOW + 1920
    await client.listen(1.0)
    await client.wait(lambda: len(client.audio[reply]) // 2 >= playback.WINDOW + SAMPLE_RATE)


async def test_the_next_turn_has_what_was_said_before(talk, model):
    client = await talk()
    for question in ("Who are you?", "Why?"):
        await client.ask(question)
        await client.listen_to_the_end()
    assert [message.content for message in model.requests[-1]] == ["Who are you?", "Yes.", "Why?"]


async def test_a_resumed_sentence_gets_one_reply_to_all_of_it(talk, model):
    client = await talk()
    await client.say("Tell me a joke.", pause=0.32)
    await client.ask("About cats.")
    assert model.requests[-1][-1].content == "Tell me a joke. About cats."
    assert [turn.text for turn in client.all(events.Turn)] == ["Tell me a joke. About cats."]
    await client.wait(lambda: model.open == 0)


async def test_a_user_who_continues_before_the_reply_is_audible_gets_one_reply_to_both(talk, model):
    generated = asyncio.Event()
    model.replies = {"Tell me.": [generated, "No."]}
    client = await talk()
    await client.say("Tell me.")
    await client.until(events.Turn)
    await client.ask("More please.")
    assert [message.content for message in model.requests[-1]] == ["Tell me. More please."]
    assert len(client.all(events.ReplyStarted)) == 1
    await client.wait(lambda: model.open == 0)


async def test_typed_text_gets_a_spoken_answer_and_is_stored(talk, model):
    client = await talk()
    client.conversation.add_text("Who are\nyou?")
    await client.until(events.ReplyStarted)
    await client.listen_to_the_end()
    client.conversation.stop()
    await client.ended()
    assert await said_in(client.session) == [("User", "Who are you?"), ("Assistant", "Yes.")]


@pytest.mark.parametrize("text", ["", "  ", "x" * 4001])
async def test_invalid_text_is_rejected(talk, text):
    client = await talk()
    with pytest.raises(errors.InvalidText):
        client.conversation.add_text(text)


async def test_push_to_talk_ends_the_turn_when_the_key_is_released(talk):
    client = await talk(push_to_talk=True)
    await client.say("Who are you?", pause=3)
    assert client.all(events.Turn) == []
    client.conversation.release()
    assert (await client.until(events.Turn)).text == "Who are you?"


async def test_concurrent_conversations_do_not_mix(talk, model):
    secrets = ["Alpha.", "Bravo."]
    clients = [await talk() for _ in secrets]
    await asyncio.gather(*(client.ask(f"Secret {secret}") for client, secret in zip(clients, secrets, strict=True)))
    await asyncio.gather(*(client.listen_to_the_end() for client in clients))
    await asyncio.gather(*(client.ask("Which secret?") for client in clients))
    for request in model.requests:
        assert len({secret for secret in secrets if secret in str(request)}) == 1
