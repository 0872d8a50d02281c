"""Live transcription with OpenAI's official realtime client."""

import asyncio
import base64
import json

import numpy as np
import openai
import pytest
import websockets

from tests.support.clients.api import access_to
from tests.support.speech.checksum_audio import noise, words_of

PCM = noise(62)
WORDS = words_of(PCM)
CHUNK = 4_801  # bytes: splits samples
COMPLETED = "conversation.item.input_audio_transcription.completed"
DELTA = "conversation.item.input_audio_transcription.delta"


def config(format="audio/pcm", language="en", **input):
    audio_format = {"type": format, **({"rate": 24000} if format == "audio/pcm" else {})}
    transcription = {"model": "gpt-4o-transcribe", "language": language}
    return {
        "type": "transcription",
        "audio": {"input": {"format": audio_format, "transcription": transcription, **input}},
    }


@pytest.fixture
def realtime(access):
    client = openai.AsyncOpenAI(base_url=f"{access.url}/v1", api_key=access.token)
    return client.realtime


def connect(realtime):
    return realtime.connect(extra_query={"intent": "transcription"})


async def send_audio(connection, pcm):
    for i in range(0, len(pcm), CHUNK):
        await connection.input_audio_buffer.append(audio=base64.b64encode(pcm[i : i + CHUNK]).decode())


async def until(connection, *kinds, within=60):
    """All events up to the first of the kinds."""
    received = []
    async with asyncio.timeout(within):
        async for event in connection:
            received.append(event)
            if event.type in kinds:
                return received
    raise AssertionError(received)


async def test_a_delta_for_each_word_and_a_transcript_for_each_segment(realtime):
    async with connect(realtime) as connection:
        await connection.session.update(session=config())
        opening = await until(connection, "session.updated")
        assert [event.type for event in opening] == ["session.created", "session.updated"]
        assert opening[1].session.audio.input.transcription.language == "en"
        await send_audio(connection, PCM)
        await connection.input_audio_buffer.commit()
        received = [event for _ in range(3) for event in await until(connection, COMPLETED)]
    completed = [event for event in received if event.type == COMPLETED]
    assert [event.transcript.split() for event in completed] == [WORDS[:5], WORDS[5:10], WORDS[10:]]
    deltas = [event for event in received if event.type == DELTA]
    assert " ".join(event.delta.strip() for event in deltas).split() == WORDS
    assert {event.item_id for event in deltas} == {event.item_id for event in completed}
    kinds = [event.type for event in received]
    assert kinds.index("input_audio_buffer.speech_started") < kinds.index(DELTA) < kinds.index(COMPLETED)


async def test_a_client_secret_can_only_transcribe(access, realtime):
    expires_after = {"anchor": "created_at", "seconds": 60}
    secret = await realtime.client_secrets.create(session=config(), expires_after=expires_after)
    assert secret.session.type == "transcription"
    uri = f"{access.url.replace('http', 'ws')}/v1/realtime?intent=transcription"
    subprotocols = ["realtime", f"openai-insecure-api-key.{secret.value}"]
    async with websockets.connect(uri, subprotocols=subprotocols) as socket:
        assert socket.subprotocol == "realtime"
        assert json.loads(await socket.recv())["type"] == "session.created"
    browser = openai.AsyncOpenAI(base_url=f"{access.url}/v1", api_key=secret.value, max_retries=0)
    with pytest.raises(openai.PermissionDeniedError):
        await browser.audio.speech.create(input="Hello", model="tts-1", voice="alloy")


@pytest.mark.slow
async def test_a_client_secret_is_revoked_with_its_token(access):
    other = access_to(access.site, "other@example.org")
    client = openai.AsyncOpenAI(base_url=f"{other.url}/v1", api_key=other.token, max_retries=0)
    secret = await client.realtime.client_secrets.create(session=config())
    access.site.shell("from accounts.models import Token; Token.objects.get(user__email='other@example.org').revoke()")
    browser = openai.AsyncOpenAI(base_url=f"{other.url}/v1", api_key=secret.value, max_retries=0)
    await asyncio.sleep(6)  # the two processes of this test share no cache
    with pytest.raises(openai.AuthenticationError):
        await browser.models.list()


@pytest.mark.slow
async def test_without_turn_detection_each_commit_has_one_transcript(realtime):
    first, second = PCM[: 3840 * 30], PCM[3840 * 30 :]
    async with connect(realtime) as connection:
        await connection.session.update(session=config(turn_detection=None))
        for pcm in (first, second):
            await send_audio(connection, pcm)
            await connection.input_audio_buffer.commit()
            completed = (await until(connection, COMPLETED))[-1]
            assert completed.transcript.split() == words_of(pcm)
            assert completed.usage.type == "duration"


@pytest.mark.slow
@pytest.mark.parametrize("format", ["audio/pcmu", "audio/pcma"])
async def test_telephone_audio(realtime, format):
    async with connect(realtime) as connection:
        await connection.session.update(session=config(format, turn_detection=None))
        await send_audio(connection, np.random.default_rng(0).integers(0, 256, 8_000 * 2, np.uint8).tobytes())
        await connection.input_audio_buffer.commit()
        assert len((await until(connection, COMPLETED))[-1].transcript.split()) == 2 / 0.4


@pytest.mark.slow
async def test_an_invalid_event_is_answered_with_an_error_and_ignored(realtime):
    async with connect(realtime) as connection:
        for mistake, words in [
            ({"type": "dance"}, "Unknown event “dance”."),
            ({"type": "input_audio_buffer.commit"}, "Nothing to commit"),
            ({"type": "input_audio_buffer.append", "audio": "???"}, "Invalid base64"),
            ({"type": "session.update", "session": {"type": "realtime"}}, "Unsupported session type"),
            ({"type": "session.update", "session": {"audio": {"input": {"format": {"type": "audio/x"}}}}}, "audio/pcm"),
        ]:
            await connection.send({**mistake, "event_id": "mine"})
            error = (await until(connection, "error"))[-1].error
            assert words in error.message
            assert error.event_id == "mine"
        await send_audio(connection, PCM)
        await connection.input_audio_buffer.commit()
        assert (await until(connection, COMPLETED))[-1].transcript.split() == WORDS[:5]


@pytest.mark.slow
async def test_an_unsupported_language_is_reported_before_the_connection_is_closed(realtime):
    async with connect(realtime) as connection:
        await connection.session.update(session=config(language="tlh"))
        await send_audio(connection, PCM[:4800])
        assert "Supported languages: en." in (await until(connection, "error"))[-1].error.message
        with pytest.raises(websockets.ConnectionClosed):
            await connection.recv()
