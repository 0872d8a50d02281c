"""Users who speak or click while a reply plays."""

from inference.engines.testing.encoded_words import silence, spoken
from inference.engines.testing.tones import pcm_of
from speech import events
from tests.support.speech.conversation import LONG_REPLY, said_in


async def interruptible(client, model, reply=LONG_REPLY):
    """A reply that plays and can be interrupted by voice: the second one, 2 s after its beginning."""
    model.replies["Count."] = [reply]
    await client.ask("Hello.")
    await client.listen_to_the_end()
    await client.listen(0)
    await client.send(silence(3.2))
    await client.ask("Count.")
    await client.listen(2.0)


async def test_an_interruption_pauses_the_reply_and_then_cuts_it(talk, model):
    client = await talk()
    await interruptible(client, model)
    await client.send(spoken("Please stop it now."))
    await client.until(events.ReplyCut)
    assert [state.state for state in client.all(events.TurnState)][-2:] == ["held", "listening"]
    assert client.all(events.ReplyCut)[0].text == "One two three four five—"
    await client.send(silence(0.64))
    await client.until(events.ReplyStarted, 3)
    assert [message.content for message in model.requests[-1]][-2:] == [
        "One two three four five—",
        "Please stop it now.",
    ]


async def test_the_session_has_only_what_was_played(talk, model):
    client = await talk()
    await interruptible(client, model)
    await client.send(spoken("Please stop it now."))
    await client.until(events.ReplyCut)
    client.conversation.stop()
    await client.ended()
    said = await said_in(client.session)
    assert said[-2:] == [("Assistant", "One two three four five—"), ("User", "Please stop it now.")]


async def test_a_back_channel_resumes_the_reply(talk, model):
    client = await talk()
    await interruptible(client, model)
    await client.send(spoken("Mhm.") + silence(1.0))
    assert [state.state for state in client.all(events.TurnState)][-2:] == ["held", "replying"]
    reply = client.reply
    await client.listen_to_the_end()
    assert client.audio[reply] == pcm_of(LONG_REPLY)
    assert client.all(events.ReplyCut) == []


async def test_an_interrupt_ends_the_reply_at_once(talk, model):
    client = await talk()
    await interruptible(client, model)
    client.conversation.interrupt()
    assert (await client.until(events.ReplyCut)).text == "One two three four five—"
    assert client.state == "listening"
    sent = len(client.audio[client.reply])
    await client.send(silence(0.5))
    assert len(client.audio[client.reply]) == sent
