"""Pages that lose their connection or no longer play, and continue the conversation later."""

import asyncio

from inference.engines.testing.encoded_words import silence
from inference.messages import SAMPLE_RATE
from speech import events
from speech.dialogue.options import UnsavedReply
from speech.dialogue.replies import playback
from speech.text.alignment import TimedWord
from tests.support.speech.conversation import LONG_REPLY, TIMEOUT, said_in


async def test_a_conversation_continues_with_its_memory(talk, model):
    first = await talk()
    await first.ask("My name is Anna.")
    await first.listen_to_the_end()
    first.conversation.stop()
    await first.ended()
    second = await talk(session=first.session)
    past = second.all(events.Conversation)[0].turns
    assert [(turn.speaker, turn.text) for turn in past] == [("User", "My name is Anna."), ("Assistant", "Yes.")]
    await second.ask("My name?")
    assert [message.content for message in model.requests[-1]] == ["My name is Anna.", "Yes.", "My name?"]


async def test_a_reply_that_a_lost_connection_ends_counts_as_far_as_it_was_played(talk, model):
    first = await talk()
    model.replies["Count."] = [LONG_REPLY]
    await first.ask("Count.")
    await first.listen(2.0)
    first.conversation.detach()
    await first.ended()
    second = await talk(session=first.session)
    assert second.all(events.Conversation)[0].turns[-1].text == "One two three four five—"


async def test_what_the_client_played_and_the_server_did_not_save_is_stored_once(talk, model):
    first = await talk()
    await first.ask("Count.")
    first.conversation.detach()
    await first.ended()
    for late in (0.0, 0.05):  # reports that were lost with the connection move the times
        words = [TimedWord("One", 2.0 + late, 2.4 + late, None), TimedWord("two", 2.4 + late, 2.8 + late, None)]
        client = await talk(session=first.session, unsaved=[UnsavedReply(False, words)])
        assert client.all(events.Conversation)[0].turns[-1].text == "One two—"
        client.conversation.stop()
        await client.ended()
    assert await said_in(first.session) == [("User", "Count."), ("Assistant", "One two—")]


async def test_what_the_client_played_beyond_what_the_server_saved_is_added(talk, model):
    first = await talk()
    model.replies["Count."] = [LONG_REPLY]
    await first.ask("Count.")
    await first.listen(0.8)
    start = (first.position - 20 * 960) / SAMPLE_RATE
    first.conversation.detach()
    await first.ended()
    played = [
        TimedWord(text, start + 0.4 * number, start + 0.4 * number + 0.4, None)
        for number, text in enumerate(["One", "two", "three"])
    ]
    second = await talk(session=first.session, unsaved=[UnsavedReply(False, played)])
    assert second.all(events.Conversation)[0].turns[-1].text == "three—"
    second.conversation.stop()
    await second.ended()
    assert await said_in(first.session) == [("User", "Count."), ("Assistant", "One two— three—")]


async def test_a_question_whose_reply_was_lost_is_answered_after_the_reconnection(talk, model):
    model.replies = {"Who are you?": [asyncio.Event()]}
    first = await talk()
    await first.say("Who are you?")
    await first.until(events.Turn)
    first.conversation.detach()
    await first.ended()
    await nothing_is_generated(model)
    model.replies = {}
    second = await talk(session=first.session, unsaved=[])
    await second.until(events.ReplyStarted)
    await second.listen_to_the_end()
    assert [message.content for message in model.requests[-1]] == ["Who are you?"]
    assert second.all(events.Turn) == []


async def nothing_is_generated(model):
    async with asyncio.timeout(TIMEOUT):
        while model.open:
            await asyncio.sleep(0.01)


async def test_replies_are_confirmed_when_they_are_stored(talk):
    client = await talk()
    reply = await client.ask("Who are you?")
    await client.listen_to_the_end()
    await client.send(silence(0.5))
    await client.wait(lambda: bool(client.all(events.ReplySaved)) or bool(client.conversation.feed(silence(0.08))))
    assert client.all(events.ReplySaved) == [events.ReplySaved(reply)]


async def test_a_client_that_no_longer_plays_ends_the_reply(talk, model, monkeypatch):
    monkeypatch.setattr(playback, "LISTENER_TIMEOUT", 0.2)
    client = await talk()
    model.replies["Count."] = [LONG_REPLY]
    await client.ask("Count.")
    await client.listen(1.0)
    await client.wait(lambda: client.state == "listening")
    client.conversation.stop()
    await client.ended()
    assert (await said_in(client.session))[-1] == ("Assistant", "One two—")
