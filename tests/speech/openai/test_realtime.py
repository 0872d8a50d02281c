"""The official realtime client speaks, and hears of its words as they come."""

import asyncio
import base64
import json

import openai
import pytest
import websockets

from tests.inference.speech_like import noise, words_of

PCM = noise(62)
WORDS = words_of(PCM)
CHUNK = 4_801  # bytes: samples are cut in two
COMPLETED = "conversation.item.input_audio_transcription.completed"
DELTA = "conversation.item.input_audio_transcription.delta"


def config(format="audio/pcm", language="en", **input):
    form = {"type": format, **({"rate": 24000} if format == "audio/pcm" else {})}
    heard = {"format": form, "transcription": {"model": "gpt-4o-transcribe", "language": language}, **input}
    return {"type": "transcription", "audio": {"input": heard}}


@pytest.fixture
def realtime(access):
    client = openai.AsyncOpenAI(base_url=f"{access.url}/v1", api_key=access.token)
    return client.realtime


def connect(realtime):
    return realtime.connect(extra_query={"intent": "transcription"})


async def say(connection, pcm):
    for i in range(0, len(pcm), CHUNK):
        await connection.input_audio_buffer.append(audio=base64.b64encode(pcm[i : i + CHUNK]).decode())


async def until(connection, *kinds, within=60):
    """All events up to the first of a kind."""
    told = []
    async with asyncio.timeout(within):
        async for event in connection:
            told.append(event)
            if event.type in kinds:
                return told
    raise AssertionError(told)


async def test_deltas_as_the_words_come_and_a_transcript_for_each_utterance(realtime):
    async with connect(realtime) as connection:
        await connection.session.update(session=config())
        opening = await until(connection, "session.updated")
        assert [event.type for event in opening] == ["session.created", "session.updated"]
        assert opening[1].session.audio.input.transcription.language == "en"
        await say(connection, PCM)
        await connection.input_audio_buffer.commit()
        told = [event for _ in range(3) for event in await until(connection, COMPLETED)]
    completed = [event for event in told if event.type == COMPLETED]
    assert [event.transcript.split() for event in completed] == [WORDS[:5], WORDS[5:10], WORDS[10:]]
    deltas = [event for event in told if event.type == DELTA]
    assert " ".join(event.delta.strip() for event in deltas).split() == WORDS
    assert {event.item_id for event in deltas} == {event.item_id for event in completed}
    kinds = [event.type for event in told]
    assert kinds.index("input_audio_buffer.speech_started") < kinds.index(DELTA) < kinds.index(COMPLETED)


async def test_a_browser_gets_a_secret_that_hears_and_does_nothing_else(access, realtime):
    minute = {"anchor": "created_at", "seconds": 60}
    secret = await realtime.client_secrets.create(session=config(), expires_after=minute)
    assert secret.session.type == "transcription"
    uri = f"{access.url.replace('http', 'ws')}/v1/realtime?intent=transcription"
    offered = ["realtime", f"openai-insecure-api-key.{secret.value}"]
    async with websockets.connect(uri, subprotocols=offered) as socket:
        assert socket.subprotocol == "realtime"
        assert json.loads(await socket.recv())["type"] == "session.created"
    browser = openai.AsyncOpenAI(base_url=f"{access.url}/v1", api_key=secret.value, max_retries=0)
    with pytest.raises(openai.PermissionDeniedError):
        await browser.audio.speech.create(input="Hello", model="tts-1", voice="alloy")
