"""Failures of the language model and of the voice, and an account that is rejected."""

import asyncio
import contextlib

import pytest

from accounts.models import User
from inference.engines.testing.tones import pcm_of
from speech import errors, events
from speech.dialogue.options import ConversationOptions
from speech.llm.errors import ModelError
from speech.synthesis.job import SynthesisJob
from speech.synthesis.options import SynthesisOptions
from tests.support.speech.conversation import LONG_REPLY, Client, said_in


class Away(ModelError):
    what = "The model is away."
    spoken = "Sorry, something is wrong."


async def test_a_model_that_fails_is_reported_spoken_and_not_remembered(talk, model):
    model.replies = {"Who are you?": [Away()]}
    client = await talk()
    reply = await client.ask("Who are you?")
    notice = client.all(events.Notice)[0]
    assert notice.what == "The model is away."
    await client.listen_to_the_end()
    assert client.audio[reply] == pcm_of("Sorry, something is wrong.")
    await client.ask("And now?")
    assert "Sorry" not in " ".join(message.content for message in model.requests[-1])
    client.conversation.stop()
    await client.ended()
    assert "Sorry" not in str(await said_in(client.session))


async def test_what_a_model_said_before_it_failed_is_spoken(talk, model):
    model.replies = {"Who are you?": ["I am a ", "test. ", Away()]}
    client = await talk()
    reply = await client.ask("Who are you?")
    await client.listen_to_the_end()
    assert client.audio[reply] == pcm_of("I am a test.")
    assert (await client.until(events.Notice)).what == "The model is away."


async def test_an_empty_reply_is_a_notice(talk, model):
    model.replies = {"Who are you?": ["<think>Hm.</think>"]}
    client = await talk()
    await client.say("Who are you?")
    assert "empty" in (await client.until(events.Notice)).what
    await client.wait(lambda: client.state == "listening")


async def test_an_unforeseen_error_of_the_model_ends_only_the_reply(talk, model):
    model.replies = {"Who are you?": [RuntimeError("bug")]}
    client = await talk()
    await client.say("Who are you?")
    assert (await client.until(events.Notice)).what == "The reply failed."
    await client.wait(lambda: client.state == "listening")
    await client.ask("And now?")


async def test_a_reply_waits_for_a_voice(talk):
    async with contextlib.AsyncExitStack() as stack:
        for number in range(4):
            other = User(pk=100 + number)
            job = SynthesisJob(other, _ignore, SynthesisOptions())
            job.add_text("One ")
            task = asyncio.create_task(job.run())
            stack.callback(task.cancel)
        await asyncio.sleep(0.2)
        client = await talk()
        await client.say("Who are you?")
        assert (await client.until(events.ReplyQueued)).queue_position == 1
    await client.until(events.ReplyStarted)


async def _ignore(event):
    pass


async def test_an_unknown_voice_fails_at_once(owner, model, engines):
    client = Client(owner, ConversationOptions(voice=SynthesisOptions(voice="nope")))
    with pytest.raises(errors.VoiceNotFound):
        await client.ended()


async def test_an_account_that_loses_its_approval_is_disconnected_in_the_middle_of_a_reply(talk, model):
    client = await talk()
    model.replies["Count."] = [LONG_REPLY]
    await client.ask("Count.")
    await client.listen(2.0)
    client.conversation.fail(errors.NotApproved())
    with pytest.raises(errors.NotApproved):
        await client.ended()
    assert (await said_in(client.session))[-1] == ("Assistant", "One two three four five—")
