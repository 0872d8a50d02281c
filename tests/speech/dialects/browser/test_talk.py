"""The Talk page's WebSocket through a real site, with a scripted language model behind OpenAI's API."""

import asyncio

import pytest

from inference.engines.testing.encoded_words import silence
from inference.engines.testing.tones import pcm_of
from inference.messages import SAMPLE_RATE
from tests.support.clients.sockets import live_socket, tickets
from tests.support.clients.talk import talk_client
from tests.support.servers.language_model import running_language_model
from tests.support.servers.language_model_script import Reply
from tests.support.servers.site import running_site

COUNT = "One two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen."


@pytest.fixture(scope="module")
def model():
    """Counts if it is asked to, otherwise echoes."""

    def script(request):
        text = request.messages[-1][1]
        return Reply(COUNT if "ount" in text else f"You said {text}")

    with running_language_model(script=script) as server:
        yield server


@pytest.fixture(scope="module")
def site(tmp_path_factory, model):
    engines = {"STT_ENGINE": "encoded-words", "TTS_ENGINE": "tones", "STT_SLOTS": "8"}
    with running_site(tmp_path_factory.mktemp("site"), **engines, LLM_URL=model.url, LLM_MODEL="scripted") as site:
        yield site


def transcript(site, session):
    return site.shell(
        "from speech.models import Session\n"
        f"session = Session.objects.get(pk={session!r})\n"
        "for segment in session.segments.all(): print(f'{segment.speaker}: {segment.text}')"
    ).splitlines()


async def test_a_question_is_answered_and_stored(site):
    async with talk_client(site, *tickets(site)) as client:
        await client.start(instructions="Be brief.")
        await client.ask("Hello there.")
        await client.until("reply_ended")
        assert client.audio[1] == pcm_of("You said Hello there.")
        await client.listen(4 * 5)
        await client.until("turn_state", 3)
        done = await client.stop()
    assert transcript(site, done["session"]) == ["User: Hello there.", "Assistant: You said Hello there."]
    assert client.all("conversation")[0]["model_label"]
    assert [message["seq"] for message in client.received] == sorted(message["seq"] for message in client.received)


async def test_a_conversation_continues_after_its_connection_was_lost_in_the_middle_of_a_reply(site):
    first, second = tickets(site, 2, email="lost@example.org")
    async with talk_client(site, first) as client:
        ready = await client.start()
        await client.ask("Count please.")
        began = client.position / SAMPLE_RATE
        await client.listen(10)
        words = client.all("reply_word")[:2]
        client.abort()
    async with asyncio.timeout(60):
        while len(transcript(site, ready["session"])) < 2:  # until the site has noticed it
            await asyncio.sleep(0.05)
    await continue_conversation(site, second, ready["session"], words, began)


async def continue_conversation(site, ticket, session, words, began):
    """`words`: those that were played of its last reply, which began at this time of the session, in seconds."""
    played = [[word["text"], began + word["start"], began + word["end"]] for word in words]
    async with talk_client(site, ticket) as client:
        ready = await client.start(session=session, unsaved=[{"is_complete": False, "words": played}])
        turns = client.all("conversation")[0]["turns"]
        assert [turn["text"] for turn in turns] == ["Count please.", "One two—"]
        await client.ask("Hello again.")
        await client.stop()
    assert transcript(site, session)[:2] == ["User: Count please.", "Assistant: One two—"]
    return ready


@pytest.mark.slow
async def test_a_conversation_survives_a_server_that_is_killed_in_the_middle_of_a_reply(tmp_path, model):
    engines = {"STT_ENGINE": "encoded-words", "TTS_ENGINE": "tones"}
    with running_site(tmp_path, **engines, LLM_URL=model.url, LLM_MODEL="scripted") as site:
        first, second = tickets(site, 2)
        async with talk_client(site, first) as client:
            ready = await client.start()
            await client.ask("Count please.")
            await client.listen(10)
            acknowledged = client.all("ack")[-1]["sample"] if client.all("ack") else 0
            words = client.all("reply_word")[:2]
            site.web.kill()
            await client.closed()
        site.web.start()
        site.wait_until_ready()
        again = await continue_conversation(site, second, ready["session"], words, began=1.0)
        assert again["position"] >= acknowledged


async def test_two_conversations_have_separate_contexts(site, model):
    one, two = tickets(site, 2)
    async with talk_client(site, one) as first, talk_client(site, two) as second:
        await asyncio.gather(first.start(), second.start())
        await asyncio.gather(first.ask("Secret alpha."), second.ask("Secret bravo."))
        await asyncio.gather(first.ask("Secret alpha again."), second.ask("Secret bravo again."))
    for request in model.requests:
        assert not ("alpha" in str(request.messages) and "bravo" in str(request.messages))


INVALID = [
    ({"voice": "missing"}, 4008, "not found"),
    ({"model": "missing"}, 4008, "not found"),
    ({"engine": "missing"}, 4008, "not found"),
    ({"instructions": "x" * 4_001}, 4008, "Invalid message"),
    ({"unsaved": [{"is_complete": True, "words": [["x" * 300, 0, 1]]}]}, 4008, "Invalid message"),
    ({"session": "00000000-0000-0000-0000-000000000000"}, 4013, "Session not found"),
]


async def test_invalid_starts_are_refused_with_an_explanation(site):
    for ticket, (start, expected, what) in zip(tickets(site, len(INVALID)), INVALID, strict=True):
        async with talk_client(site, ticket) as client:
            await client.send(type="start", **start)
            code, error = await client.closed()
            assert (code, what in error["what"]) == (expected, True), error
    site.assert_no_bugs()


@pytest.mark.parametrize(
    "message", [{"type": "played", "reply": 1, "sample": -1, "at": 0}, {"type": "text", "text": ""}]
)
async def test_invalid_messages_end_only_their_own_conversation(site, message):
    one, two = tickets(site, email=f"{message['type']}@example.org"), tickets(site, email="other@example.org")
    async with talk_client(site, *one) as client, talk_client(site, *two) as other:
        await asyncio.gather(client.start(), other.start())
        await client.send(**message)
        assert (await client.closed())[0] == 4008
        await other.ask("Hello there.")


async def test_a_conversation_cannot_be_continued_on_the_live_page(site):
    one, two = tickets(site, 2, email="live@example.org")
    async with talk_client(site, one) as client:
        ready = await client.start()
        await client.send_audio(silence(1.0))
        await client.stop()
    async with live_socket(site, two) as live:
        await live.send(type="start", session=ready["session"])
        code, error = await live.closed()
    assert (code, error["what"]) == (4008, "This session is a conversation.")
