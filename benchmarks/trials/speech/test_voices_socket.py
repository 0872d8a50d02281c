"""What takes its time, or real processes that die, of tests/speech/test_voices_socket.py."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from inference.engines.tones import pcm_of
from tests.speech.test_voices_socket import TONES, site, voice_socket
from tests.support.sockets import live_socket, tickets


async def test_one_inference_process_listens_and_speaks(redis_server, start_site):
    site = start_site(1, **TONES, REDIS_URL=redis_server.url)
    one, two = tickets(site, 2)
    async with voice_socket(site, one) as voice, live_socket(site, two) as live:
        assert (await live.start())["engine"] == "checksum"
        await voice.say("Both at once.")
        assert await voice.end() == (1000, {})
        await live.stop()
    assert voice.pcm == pcm_of("Both at once.")


async def test_an_engine_that_dies_in_mid_sentence_is_replaced(redis_server, start_site):
    site = start_site(2, **TONES, TTS_SLOTS="2", REDIS_URL=redis_server.url)
    text = " ".join(f"word{number}" for number in range(200))
    async with AsyncExitStack() as stack:
        # One has no room for all three.
        sockets = [await stack.enter_async_context(voice_socket(site, ticket)) for ticket in tickets(site, 3)]
        for socket in sockets:
            await socket.say(text)
            while len(socket.pcm) < 100_000:  # no more is made than is taken
                await socket.next()
        site.inference[0].kill()
        assert await asyncio.gather(*(socket.end(within=60) for socket in sockets)) == [(1000, {})] * 3
    interrupted = [any(message["type"] == "interrupted" for message in socket.told) for socket in sockets]
    assert any(interrupted)
    for socket, was_cut in zip(sockets, interrupted, strict=True):
        spoken = [message["text"] for message in socket.told if message["type"] == "spoken"]
        assert list(dict.fromkeys(spoken)) == text.split()
        assert len(spoken) <= 200 + was_cut  # the word that was cut is spoken again


async def test_who_takes_nothing_gets_no_more_than_the_window(site):
    async with voice_socket(site, *tickets(site)) as socket:
        await socket.say("word " * 300)
        with pytest.raises(TimeoutError):
            await socket.end(within=2, takes=False)
        assert 2 * 60_000 <= len(socket.pcm) <= 2 * (60_000 + 1920)
