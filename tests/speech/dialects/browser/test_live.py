"""The live page's WebSocket through real processes, with an engine whose words are checksums of the samples."""

import asyncio

import pytest

from inference.messages import FRAME_SAMPLES
from tests.support.clients.sockets import LiveSocket, live_socket, stored_words, tickets
from tests.support.speech.checksum_audio import noise, words_of

CHECKSUM = {"STT_ENGINE": "checksum"}


async def test_messages_are_numbered_and_stored_audio_is_acknowledged(site):
    async with live_socket(site, *tickets(site)) as socket:
        await socket.start()
        await socket.send_audio(noise(50))
        await socket.stop()
    assert [message["seq"] for message in socket.received] == list(range(1, len(socket.received) + 1))
    acks = [message["sample"] for message in socket.received if message["type"] == "ack"]
    assert acks == sorted(acks)
    assert acks[-1] == 50 * 1920


async def test_a_pause_finishes_the_words_and_takes_no_session_time(site):
    first, second = noise(7, seed=1), noise(12, seed=2)
    async with live_socket(site, *tickets(site)) as socket:
        await socket.start()
        await socket.send_audio(first)
        await socket.send(type="pause")
        await socket.until("paused")
        assert socket.words() == words_of(first)
        await socket.send(type="resume")
        ready = await socket.until("ready")
        assert (ready["position"], ready["words"]) == (7 * 1920, 2)
        await socket.send_audio(second)
        done = await socket.stop()
    assert stored_words(site, done["session"]) == words_of(first) + words_of(second)


async def test_a_paused_stream_releases_its_slot(site_with_one_slot):
    site = site_with_one_slot
    one, two = tickets(site, 2)
    async with live_socket(site, one) as paused, live_socket(site, two) as other:
        await paused.start()
        await paused.send_audio(noise(5))
        await paused.send(type="pause")
        await paused.until("paused")
        await other.start()
        await paused.send(type="resume")
        assert (await paused.until("queued"))["queue_position"] == 1
        await other.stop()
        await paused.until("ready")
        await paused.stop()


async def test_a_reconnecting_client_continues_after_the_stored_words(site):
    pcm = noise(60)
    one, two = tickets(site, 2)
    async with live_socket(site, one) as socket:
        ready = await socket.start()
        await socket.send_audio(pcm[: 33 * 3840])
        await socket.until("ack")
        socket.socket.transport.abort()
    async with live_socket(site, two) as again:
        resumed = await again.start(session=ready["session"])
        again.received[:0] = socket.received
        await again.send_audio(pcm[resumed["position"] * 2 :])
        await again.stop()
    assert resumed["position"] > 0
    assert again.words() == words_of(pcm)
    assert stored_words(site, ready["session"]) == words_of(pcm)


async def test_the_newest_connection_takes_over_the_session(site):
    one, two = tickets(site, 2)
    async with live_socket(site, one) as old, live_socket(site, two) as new:
        ready = await old.start()
        await old.send_audio(noise(5))
        await new.start(session=ready["session"])
        code, error = await old.closed()
        assert (code, error["what"]) == (4012, "This session moved to another window.")
        await new.send_audio(noise(5))
        await new.stop()


async def test_waiting_clients_get_their_queue_position_and_are_served_in_order(site_with_one_slot):
    site = site_with_one_slot
    sockets: list[LiveSocket] = []
    one, two, three = tickets(site, 3)
    async with live_socket(site, one) as first, live_socket(site, two) as second, live_socket(site, three) as third:
        sockets = [first, second, third]
        await first.start()
        await second.send(type="start", wait=True)
        assert (await second.until("queued"))["queue_position"] == 1
        await third.send(type="start", wait=True)
        assert (await third.until("queued"))["queue_position"] == 2
        await first.stop()
        await second.until("ready")
        assert (await third.until("queued"))["queue_position"] == 1
        await second.stop()
        await third.until("ready")
        await third.stop()
    assert all(socket.received[-1]["type"] == "done" for socket in sockets)


@pytest.mark.slow
async def test_a_segment_ended_by_a_disconnect_is_transcribed_again_after_the_reconnect(site):
    pcm = noise(102)
    one, two = tickets(site, 2)
    async with live_socket(site, one) as socket:
        ready = await socket.start()
        await socket.send_audio(pcm[: 2 * FRAME_SAMPLES * 53])  # in the middle of a word
        await socket.until("ack")
        socket.socket.transport.abort()
    await asyncio.sleep(7)
    assert len(stored_words(site, ready["session"])) == 11  # ten words, and the beginning of the next
    async with live_socket(site, two) as again:
        resumed = await again.start(session=ready["session"])
        await again.send_audio(pcm[2 * resumed["position"] :])
        await again.stop()
    assert stored_words(site, ready["session"]) == words_of(pcm)


@pytest.mark.slow
async def test_a_killed_engine_loses_and_duplicates_no_word(redis_server, start_site):
    site = start_site(1, **CHECKSUM, REDIS_URL=redis_server.url)
    pcm = noise(120)
    async with live_socket(site, *tickets(site)) as socket:
        await socket.start()
        speaking = asyncio.create_task(socket.send_audio(pcm, pace=0.03))
        await socket.until("ack")
        site.inference[0].kill()
        site.add_inference()
        await socket.until("interrupted")
        await speaking
        done = await socket.stop()
    assert socket.words() == words_of(pcm)
    assert stored_words(site, done["session"]) == words_of(pcm)


@pytest.mark.slow
async def test_two_inference_processes_share_the_streams(redis_server, start_site):
    site = start_site(2, **CHECKSUM, STT_SLOTS="1", REDIS_URL=redis_server.url)
    one, two, three = tickets(site, 3)
    async with live_socket(site, one) as first, live_socket(site, two) as second, live_socket(site, three) as third:
        await first.start()
        await second.start()
        await third.send(type="start")
        assert (await third.closed())[0] == 4000
        for socket, seed in ((first, 1), (second, 2)):
            await socket.send_audio(noise(10, seed))
            await socket.stop()
            assert socket.words() == words_of(noise(10, seed))


@pytest.mark.slow
async def test_a_client_that_leaves_the_queue_leaves_no_session(site_with_one_slot):
    site = site_with_one_slot
    one, two, three = tickets(site, 3, "patient@example.org")
    async with live_socket(site, one) as first, live_socket(site, three) as third:
        await first.start()
        async with live_socket(site, two) as second:
            await second.send(type="start", wait=True)
            await second.until("queued")
        await first.stop()
        await third.start()
        await third.stop()
    sessions = "Session.objects.filter(owner__email='patient@example.org')"
    assert site.shell(f"from speech.models import Session; print({sessions}.count())") == "0"


@pytest.mark.slow
async def test_without_an_engine_the_connection_is_closed_with_an_error(redis_server, start_site):
    site = start_site(REDIS_URL=redis_server.url)
    async with live_socket(site, *tickets(site)) as socket:
        await socket.send(type="start")
        code, error = await socket.closed()
        assert (code, error["what"]) == (4011, "No speech engine is running.")
