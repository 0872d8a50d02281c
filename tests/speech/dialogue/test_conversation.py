"""Whole conversations with real workers on the same event loop: engines whose audio and words are functions of each
other, and a scripted language model."""

import asyncio
import contextlib

import numpy as np
import pytest
from prometheus_client import REGISTRY

from accounts.models import User
from inference import worker as workers
from inference.engines.registry import ENGINES
from inference.engines.testing.encoded_words import silence, spoken
from inference.engines.testing.tones import pcm_of
from inference.messages import SAMPLE_RATE
from inference.worker import Worker
from speech import errors, events, models
from speech.dialogue import conversation as conversations
from speech.dialogue.limits import Due, Limits
from speech.dialogue.options import ConversationOptions, UnsavedReply
from speech.dialogue.replies import playback as playbacks
from speech.gateway.database import in_database
from speech.library.recording.recording import Recording
from speech.live.stream_options import StreamOptions
from speech.llm.errors import ModelError
from speech.synthesis.job import SynthesisJob
from speech.synthesis.options import SynthesisOptions
from speech.text.alignment import TimedWord
from tests.support.speech.conversation import Client, ScriptedModel
from tests.support.speech.link import isolated_layer

pytestmark = pytest.mark.django_db(transaction=True)


class Away(ModelError):
    what = "The model is away."
    spoken = "Sorry, something is wrong."


LONG = "One two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen."


@pytest.fixture(autouse=True)
async def layer(monkeypatch):
    monkeypatch.setattr(workers, "HEARTBEAT_INTERVAL", 0.05)
    async with isolated_layer() as layer:
        yield layer


@contextlib.asynccontextmanager
async def running_worker(layer, engine, slots=4):
    task = asyncio.create_task(Worker(layer, ENGINES[engine], slots).run())
    yield
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@pytest.fixture(autouse=True)
async def engines(layer):
    async with running_worker(layer, "encoded-words"), running_worker(layer, "tones"):
        yield


@pytest.fixture
def owner(transactional_db):
    return User.objects.create_user("ada@example.org", status="approved")


@pytest.fixture
def model(monkeypatch):
    model = ScriptedModel()

    async def language_model(name):
        return model

    monkeypatch.setattr(conversations, "language_model", language_model)
    return model


@pytest.fixture
async def talk(owner, model):
    """Start a conversation of the owner: `await talk(**options)`. It is ended with the test."""
    clients = []

    async def start(**options):
        stream = StreamOptions(
            session=options.pop("session", None),
            saves_audio=options.pop("audio", False),
            wait=options.pop("wait", False),
        )
        client = Client(options.pop("owner", owner), ConversationOptions(stream=stream, **options))
        clients.append(client)
        await client.until(events.Ready)
        return client

    yield start
    for client in clients:
        client.task.cancel()
    await asyncio.gather(*(client.task for client in clients), return_exceptions=True)


def said_in(session_id):
    """Who said what, in order of time."""
    return [(turn.speaker, turn.text) for turn in models.Conversation.objects.get(session=session_id).turns_so_far(100)]


async def session_of(client):
    return (await client.until(events.Ready)).session


# --- Turns ------------------------------------------------------------------------------------------------------------


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
    assert await in_database(said_in, await session_of(client)) == [
        ("User", "Who are you?"),
        ("Assistant", "I am a test."),
    ]


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
    assert await in_database(said_in, await session_of(client)) == [("User", "Who are you?"), ("Assistant", "Yes.")]


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


# --- Interruptions ----------------------------------------------------------------------------------------------------


async def interruptible(client, model, reply=LONG):
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
    said = await in_database(said_in, await session_of(client))
    assert said[-2:] == [("Assistant", "One two three four five—"), ("User", "Please stop it now.")]


async def test_a_back_channel_resumes_the_reply(talk, model):
    client = await talk()
    await interruptible(client, model)
    await client.send(spoken("Mhm.") + silence(1.0))
    assert [state.state for state in client.all(events.TurnState)][-2:] == ["held", "replying"]
    reply = client.reply
    await client.listen_to_the_end()
    assert client.audio[reply] == pcm_of(LONG)
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


async def test_a_reply_is_sent_at_most_a_window_ahead(talk, model):
    client = await talk()
    model.replies["Count."] = [LONG]
    await client.ask("Count.")
    reply = client.reply
    await client.wait(lambda: len(client.audio[reply]) // 2 >= playbacks.WINDOW)
    await client.send(silence(0.5))
    assert len(client.audio[reply]) // 2 < playbacks.WINDOW + 1920
    await client.listen(1.0)
    await client.wait(lambda: len(client.audio[reply]) // 2 >= playbacks.WINDOW + SAMPLE_RATE)


async def test_a_client_that_no_longer_plays_ends_the_reply(talk, model, monkeypatch):
    monkeypatch.setattr(playbacks, "LISTENER_TIMEOUT", 0.2)
    client = await talk()
    model.replies["Count."] = [LONG]
    await client.ask("Count.")
    await client.listen(1.0)
    await client.wait(lambda: client.state == "listening")
    client.conversation.stop()
    await client.ended()
    assert (await in_database(said_in, await session_of(client)))[-1] == ("Assistant", "One two—")


# --- Failures of the model and the voice ------------------------------------------------------------------------------


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
    assert "Sorry" not in str(await in_database(said_in, await session_of(client)))


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


async def test_a_reply_waits_for_a_voice(talk, model, layer, owner):
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


async def test_an_unknown_voice_fails_at_once(owner, model):
    client = Client(owner, ConversationOptions(voice=SynthesisOptions(voice="nope")))
    with pytest.raises(errors.VoiceNotFound):
        await client.ended()


# --- Lost connections -------------------------------------------------------------------------------------------------


async def test_a_conversation_continues_with_its_memory(talk, model):
    first = await talk()
    await first.ask("My name is Anna.")
    await first.listen_to_the_end()
    first.conversation.stop()
    await first.ended()
    second = await talk(session=await session_of(first))
    past = second.all(events.Conversation)[0].turns
    assert [(turn.speaker, turn.text) for turn in past] == [("User", "My name is Anna."), ("Assistant", "Yes.")]
    await second.ask("My name?")
    assert [message.content for message in model.requests[-1]] == ["My name is Anna.", "Yes.", "My name?"]


async def test_a_reply_that_a_lost_connection_ends_counts_as_far_as_it_was_played(talk, model):
    first = await talk()
    model.replies["Count."] = [LONG]
    await first.ask("Count.")
    await first.listen(2.0)
    first.conversation.detach()
    await first.ended()
    second = await talk(session=await session_of(first))
    assert second.all(events.Conversation)[0].turns[-1].text == "One two three four five—"


async def test_what_the_client_played_and_the_server_did_not_save_is_stored_once(talk, model):
    first = await talk()
    await first.ask("Count.")
    first.conversation.detach()
    await first.ended()
    session = await session_of(first)
    for late in (0.0, 0.05):  # reports that were lost with the connection move the times
        words = [TimedWord("One", 2.0 + late, 2.4 + late, None), TimedWord("two", 2.4 + late, 2.8 + late, None)]
        client = await talk(session=session, unsaved=[UnsavedReply(False, words)])
        assert client.all(events.Conversation)[0].turns[-1].text == "One two—"
        client.conversation.stop()
        await client.ended()
    assert await in_database(said_in, session) == [("User", "Count."), ("Assistant", "One two—")]


async def test_what_the_client_played_beyond_what_the_server_saved_is_added(talk, model):
    first = await talk()
    model.replies["Count."] = [LONG]
    await first.ask("Count.")
    await first.listen(0.8)
    start = (first.position - 20 * 960) / SAMPLE_RATE
    first.conversation.detach()
    await first.ended()
    session = await session_of(first)
    played = [
        TimedWord(text, start + 0.4 * number, start + 0.4 * number + 0.4, None)
        for number, text in enumerate(["One", "two", "three"])
    ]
    second = await talk(session=session, unsaved=[UnsavedReply(False, played)])
    assert second.all(events.Conversation)[0].turns[-1].text == "three—"
    second.conversation.stop()
    await second.ended()
    assert await in_database(said_in, session) == [("User", "Count."), ("Assistant", "One two— three—")]


async def test_a_question_whose_reply_was_lost_is_answered_after_the_reconnection(talk, model):
    model.replies = {"Who are you?": [asyncio.Event()]}
    first = await talk()
    await first.say("Who are you?")
    await first.until(events.Turn)
    first.conversation.detach()
    await first.ended()
    await first_is_closed(model)
    model.replies = {}
    second = await talk(session=await session_of(first), unsaved=[])
    await second.until(events.ReplyStarted)
    await second.listen_to_the_end()
    assert [message.content for message in model.requests[-1]] == ["Who are you?"]
    assert second.all(events.Turn) == []


async def first_is_closed(model):
    async with asyncio.timeout(10):
        while model.open:
            await asyncio.sleep(0.01)


async def test_replies_are_confirmed_when_they_are_stored(talk):
    client = await talk()
    reply = await client.ask("Who are you?")
    await client.listen_to_the_end()
    await client.send(silence(0.5))
    await client.wait(lambda: bool(client.all(events.ReplySaved)) or bool(client.conversation.feed(silence(0.08))))
    assert client.all(events.ReplySaved) == [events.ReplySaved(reply)]


# --- Recording --------------------------------------------------------------------------------------------------------


async def test_the_recording_has_both_voices_where_they_were_played(talk, model):
    client = await talk(audio=True)
    reply = await client.ask("Who are you?")
    start = client.position
    await client.listen_to_the_end()
    await client.send(silence(1.0))
    client.conversation.stop()
    await client.ended()
    session = await session_of(client)
    pcm = Recording(session).read(start, start + len(client.audio[reply]) // 2)
    assert np.array_equal(pcm, np.frombuffer(client.audio[reply], "<i2"))
    assert np.array_equal(Recording(session).read(0, 9 * 1920), np.frombuffer(spoken("Who are you?"), "<i2"))


# --- Many conversations and limits ------------------------------------------------------------------------------------


async def test_concurrent_conversations_do_not_mix(talk, model, owner):
    secrets = ["Alpha.", "Bravo."]
    clients = [await talk() for _ in secrets]
    await asyncio.gather(*(client.ask(f"Secret {secret}") for client, secret in zip(clients, secrets, strict=True)))
    await asyncio.gather(*(client.listen_to_the_end() for client in clients))
    await asyncio.gather(*(client.ask("Which secret?") for client in clients))
    for request in model.requests:
        assert len({secret for secret in secrets if secret in str(request)}) == 1


async def test_an_account_that_loses_its_approval_is_disconnected_in_the_middle_of_a_reply(talk, model):
    client = await talk()
    model.replies["Count."] = [LONG]
    await client.ask("Count.")
    await client.listen(2.0)
    client.conversation.fail(errors.NotApproved())
    with pytest.raises(errors.NotApproved):
        await client.ended()
    assert (await in_database(said_in, await session_of(client)))[-1] == ("Assistant", "One two three four five—")


async def test_an_idle_conversation_is_warned_and_ends(talk, monkeypatch):
    monkeypatch.setattr(conversations, "WATCH_INTERVAL", 0.05)
    client = await talk()
    due = iter([Due.IDLE_WARNING, None, Due.IDLE_REACHED])
    monkeypatch.setattr(Limits, "due", lambda self, elapsed, idle: next(due, None))
    await client.until(events.ReplyStarted)
    await client.listen_to_the_end()
    await client.ended()
    assert client.audio[client.reply] == pcm_of(conversations.ANNOUNCEMENTS[Due.IDLE_WARNING])
    assert len(client.all(events.Done)) == 1


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
