"""What is saved of a conversation besides its words: the recording and the usage."""

import asyncio

import numpy as np
from prometheus_client import REGISTRY

from inference.engines.testing.encoded_words import silence, spoken
from inference.engines.testing.tones import pcm_of
from speech import events, models
from speech.gateway.database import in_database
from speech.library.recording.recording import Recording


async def test_the_recording_has_both_voices_where_they_were_played(talk):
    client = await talk(audio=True)
    reply = await client.ask("Who are you?")
    start = client.position
    await client.listen_to_the_end()
    await client.send(silence(1.0))
    client.conversation.stop()
    await client.ended()
    session = client.session
    pcm = Recording(session).read(start, start + len(client.audio[reply]) // 2)
    assert np.array_equal(pcm, np.frombuffer(client.audio[reply], "<i2"))
    assert np.array_equal(Recording(session).read(0, 9 * 1920), np.frombuffer(spoken("Who are you?"), "<i2"))


async def test_tokens_and_seconds_are_counted(talk):
    before = REGISTRY.get_sample_value("speech_reply_seconds_total")
    client = await talk()
    await client.ask("Who are you?")
    await client.listen_to_the_end()
    client.conversation.stop()
    await client.ended()
    stored = await in_database(lambda: models.Conversation.objects.get())
    assert (stored.prompt_tokens, stored.completion_tokens, stored.turns) == (10, 2, 1)
    assert stored.played_samples == len(pcm_of("Yes.")) // 2
    assert REGISTRY.get_sample_value("speech_reply_seconds_total") == before + stored.played_seconds


async def test_tokens_of_a_reply_that_was_never_played_are_counted(talk, model, owner):
    model.replies = {"Who are you?": [asyncio.Event()]}
    client = await talk()
    await client.say("Who are you?")
    await client.until(events.Turn)
    client.conversation.stop()
    await client.ended()
    usage = await in_database(lambda: models.ConversationUsage.objects.get(owner=owner))
    assert (usage.conversations, usage.prompt_tokens, usage.completion_tokens) == (1, 10, 2)
