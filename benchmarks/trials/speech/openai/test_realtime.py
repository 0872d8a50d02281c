"""What takes its time, or real processes that die, of tests/speech/openai/test_realtime.py."""

import asyncio

import numpy as np
import openai
import pytest
import websockets

from tests.inference.speech_like import words_of
from tests.speech.openai.test_realtime import COMPLETED, PCM, WORDS, config, connect, realtime, say, until
from tests.support.api import access_to


async def test_a_secret_dies_with_the_token_it_was_made_from(access):
    other = access_to(access.site, "other@example.org")
    client = openai.AsyncOpenAI(base_url=f"{other.url}/v1", api_key=other.token, max_retries=0)
    secret = await client.realtime.client_secrets.create(session=config())
    access.site.shell("from accounts.models import Token; Token.objects.get(user__email='other@example.org').revoke()")
    browser = openai.AsyncOpenAI(base_url=f"{other.url}/v1", api_key=secret.value, max_retries=0)
    await asyncio.sleep(6)  # the two processes of this test have no cache in common
    with pytest.raises(openai.AuthenticationError):
        await browser.models.list()


async def test_who_ends_turns_alone_gets_one_transcript_for_each_commit(realtime):
    first, second = PCM[: 3840 * 30], PCM[3840 * 30 :]
    async with connect(realtime) as connection:
        await connection.session.update(session=config(turn_detection=None))
        for pcm in (first, second):
            await say(connection, pcm)
            await connection.input_audio_buffer.commit()
            told = await until(connection, COMPLETED)
            assert told[-1].transcript.split() == words_of(pcm)
            assert told[-1].usage.type == "duration"


@pytest.mark.parametrize("format", ["audio/pcmu", "audio/pcma"])
async def test_audio_of_telephones(realtime, format):
    async with connect(realtime) as connection:
        await connection.session.update(session=config(format, turn_detection=None))
        await say(connection, np.random.default_rng(0).integers(0, 256, 8_000 * 2, np.uint8).tobytes())
        await connection.input_audio_buffer.commit()
        assert len((await until(connection, COMPLETED))[-1].transcript.split()) == 2 / 0.4


async def test_a_mistake_is_answered_and_harms_nothing(realtime):
    async with connect(realtime) as connection:
        for mistake, words in [
            ({"type": "dance"}, "“dance” is not understood."),
            ({"type": "input_audio_buffer.commit"}, "nothing to commit"),
            ({"type": "input_audio_buffer.append", "audio": "???"}, "no base64"),
            ({"type": "session.update", "session": {"type": "realtime"}}, "no session of type"),
            ({"type": "session.update", "session": {"audio": {"input": {"format": {"type": "audio/x"}}}}}, "audio/pcm"),
        ]:
            await connection.send({**mistake, "event_id": "mine"})
            error = (await until(connection, "error"))[-1].error
            assert words in error.message
            assert error.event_id == "mine"
        await say(connection, PCM)
        await connection.input_audio_buffer.commit()
        assert (await until(connection, COMPLETED))[-1].transcript.split() == WORDS[:5]


async def test_a_language_nobody_knows_is_told_before_the_socket_is_closed(realtime):
    async with connect(realtime) as connection:
        await connection.session.update(session=config(language="tlh"))
        await say(connection, PCM[:4800])
        assert "They know: en." in (await until(connection, "error"))[-1].error.message
        with pytest.raises(websockets.ConnectionClosed):
            await connection.recv()
