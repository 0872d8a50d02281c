"""Crashes and hangs of each component during a stream: real processes, and the checksum engine."""

import asyncio
import signal
import urllib.error
import urllib.request
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from tests.support.clients.sockets import live_socket, stored_words, tickets
from tests.support.speech.checksum_audio import noise, words_of

pytestmark = pytest.mark.slow

AUDIO = noise(450)  # frames: 36 s
PACE = 0.02  # seconds per frame: four times as fast as real time


@pytest.fixture
def start_production(start_site, redis_server, postgres_server):
    """Start a site with Redis, PostgreSQL and so many inference processes: `start_production(inference=1)`."""
    url = postgres_server.new_database()

    def start(inference=1):
        return start_site(inference, STT_ENGINE="checksum", REDIS_URL=redis_server.url, DATABASE_URL=url)

    return start


@asynccontextmanager
async def stream_without_lost_words(site):
    """A live stream; on exit every word must have arrived once, at the client and in the database."""
    async with live_socket(site, *tickets(site)) as socket:
        await socket.start()
        speaking = asyncio.create_task(socket.send_audio(AUDIO, PACE))
        await socket.until("ack")
        yield socket
        await speaking
        done = await socket.stop(within=60)
    assert socket.words() == words_of(AUDIO)
    assert stored_words(site, done["session"]) == words_of(AUDIO)


async def test_a_redis_restart_loses_no_word(start_production, redis_server):
    async with stream_without_lost_words(start_production()) as socket:
        redis_server.kill()
        await socket.until("interrupted")
        redis_server.start()


async def test_an_emptied_redis_loses_no_word(start_production, redis_server):
    async with stream_without_lost_words(start_production()):
        redis_server.client.flushall()


async def test_words_continue_during_a_database_outage(start_production, postgres_server):
    async with stream_without_lost_words(start_production()) as socket:
        postgres_server.crash()
        await socket.until("unstored")
        for _ in range(10):
            await socket.until("word")
        await asyncio.to_thread(postgres_server.start)
        await socket.until("ack")


async def test_a_hanging_inference_process_is_replaced_by_another(start_production):
    site = start_production(inference=2)
    async with stream_without_lost_words(site) as socket:
        for inference in site.inference:  # one of them has the stream
            inference.process.send_signal(signal.SIGSTOP)
            await asyncio.sleep(2)
            inference.process.send_signal(signal.SIGCONT)
    assert any(message["type"] == "interrupted" for message in socket.received)


async def test_a_rolling_restart_of_inference_processes_loses_no_word(start_production):
    site = start_production(inference=2)
    async with stream_without_lost_words(site):
        for inference in site.inference:
            await asyncio.to_thread(inference.stop)
            inference.start()
            await asyncio.sleep(2)


async def test_a_web_process_stores_all_words_before_it_stops(start_production):
    site = start_production()
    one, two = tickets(site, 2)
    async with live_socket(site, one) as socket:
        ready = await socket.start()
        speaking = asyncio.create_task(socket.send_audio(AUDIO, PACE))
        await socket.until("ack")
        await asyncio.to_thread(site.web.stop)
        assert (await socket.closed())[0] == 4010
        speaking.cancel()
        shown = socket.words()
    site.web.start()
    await asyncio.to_thread(site.wait_until_ready)
    assert stored_words(site, ready["session"]) == shown
    async with live_socket(site, two) as socket:
        resumed = await socket.start(session=ready["session"])
        # The last word may reach into a frame that was filled up with silence, and is recognized again.
        assert resumed["words"] in (len(shown) - 1, len(shown))
        await socket.send_audio(AUDIO[2 * resumed["position"] :])
        await socket.stop()
    assert stored_words(site, ready["session"]) == words_of(AUDIO)


async def test_without_a_database_clients_are_asked_to_retry(start_production, postgres_server):
    site = start_production()
    (ticket,) = tickets(site)
    postgres_server.crash()
    async with live_socket(site, ticket) as socket:
        code, error = await socket.closed()
        assert code == 4010
        assert error["action"]
    page = urllib.request.Request(f"{site.url}/live/", headers={"Cookie": "sessionid=0123456789"})
    with pytest.raises(urllib.error.HTTPError) as refused:
        await asyncio.to_thread(urllib.request.urlopen, page)
    assert refused.value.code == 503
    assert b"temporarily unavailable" in refused.value.read()


async def test_a_web_process_stops_in_time_during_a_database_outage(start_site, redis_server, postgres_server):
    """Its clients keep the audio of words that it could not store, and send it again."""
    env = {"REDIS_URL": redis_server.url, "DATABASE_URL": postgres_server.new_database()}
    site = start_site(1, STT_ENGINE="checksum", STT_SLOTS="10", STREAMS_PER_USER="10", **env)
    async with AsyncExitStack() as sockets:
        streams = [await sockets.enter_async_context(live_socket(site, ticket)) for ticket in tickets(site, 5)]
        for stream in streams:
            await stream.start()
        speaking = [asyncio.create_task(stream.send_audio(AUDIO, PACE)) for stream in streams]
        await streams[0].until("word")
        postgres_server.crash()
        site.web.process.terminate()
        await asyncio.to_thread(site.web.process.wait, 12)
        await asyncio.gather(*speaking, return_exceptions=True)
