"""The browser's socket through real processes, with an engine whose words prove every sample."""

import asyncio

import pytest

from inference.messages import FRAME_SAMPLES
from tests.support.clients.sockets import LiveSocket, live_socket, stored_words, tickets
from tests.support.servers.site import running_site
from tests.support.speech.checksum_audio import noise, words_of

CHECKSUM = {"STT_ENGINE": "checksum"}


@pytest.fixture
def site(checksum_site):
    return checksum_site


@pytest.fixture(scope="module")
def site_with_one_slot(tmp_path_factory):
    with running_site(tmp_path_factory.mktemp("site"), **CHECKSUM, STT_SLOTS="1") as site:
        yield site


async def test_messages_are_numbered_and_acknowledge_what_is_stored(site):
    async with live_socket(site, *tickets(site)) as socket:
        await socket.start()
        await socket.say(noise(50))
        await socket.stop()
    assert [message["seq"] for message in socket.received] == list(range(1, len(socket.received) + 1))
    acks = [message["sample"] for message in socket.received if message["type"] == "ack"]
    assert acks == sorted(acks)
    assert acks[-1] == 50 * 1920


async def test_a_pause_ends_the_sentence_and_time_stands_still(site):
    first, second = noise(7, seed=1), noise(12, seed=2)
    async with live_socket(site, *tickets(site)) as socket:
        await socket.start()
        await socket.say(first)
        await socket.send(type="pause")
        await socket.until("paused")
        assert socket.words() == words_of(first)
        await socket.send(type="resume")
        ready = await socket.until("ready")
        assert (ready["position"], ready["words"]) == (7 * 1920, 2)
        await socket.say(second)
        done = await socket.stop()
    assert stored_words(site, done["session"]) == words_of(first) + words_of(second)


async def test_a_paused_stream_gives_its_slot_to_others(site_with_one_slot):
    site = site_with_one_slot
    one, two = tickets(site, 2)
    async with live_socket(site, one) as paused, live_socket(site, two) as other:
        await paused.start()
        await paused.say(noise(5))
        await paused.send(type="pause")
        await paused.until("paused")
        await other.start()
        await paused.send(type="resume")
        assert (await paused.until("queued"))["queue_position"] == 1
        await other.stop()
        await paused.until("ready")
        await paused.stop()


async def test_who_comes_back_with_the_session_goes_on_where_it_was_stored(site):
    pcm = noise(60)
    one, two = tickets(site, 2)
    async with live_socket(site, one) as socket:
        ready = await socket.start()
        await socket.say(pcm[: 33 * 3840])
        await socket.until("ack")
        socket.socket.transport.abort()
    async with live_socket(site, two) as again:
        resumed = await again.start(session=ready["session"])
        again.received[:0] = socket.received
        await again.say(pcm[resumed["position"] * 2 :])
        await again.stop()
    assert resumed["position"] > 0
    assert again.words() == words_of(pcm)
    assert stored_words(site, ready["session"]) == words_of(pcm)


async def test_the_newest_window_has_the_session(site):
    one, two = tickets(site, 2)
    async with live_socket(site, one) as old, live_socket(site, two) as new:
        ready = await old.start()
        await old.say(noise(5))
        await new.start(session=ready["session"])
        code, error = await old.closed()
        assert (code, error["what"]) == (4012, "This session moved to another window.")
        await new.say(noise(5))
        await new.stop()


async def test_at_capacity_is_said_at_once(site_with_one_slot):
    site = site_with_one_slot
    one, two = tickets(site, 2)
    async with live_socket(site, one) as first, live_socket(site, two) as second:
        await first.start()
        await second.send(type="start")
        code, error = await second.closed()
        assert (code, error["what"]) == (4000, "The server is at capacity.")
        await first.stop()


async def test_who_waits_is_told_the_place_and_served_in_order(site_with_one_slot):
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
async def test_a_sentence_that_was_ended_for_an_absent_speaker_is_heard_anew_when_they_return(site):
    pcm = noise(102)
    one, two = tickets(site, 2)
    async with live_socket(site, one) as socket:
        ready = await socket.start()
        await socket.say(pcm[: 2 * FRAME_SAMPLES * 53])  # in the middle of a word
        await socket.until("ack")
        socket.socket.transport.abort()
    await asyncio.sleep(7)
    assert len(stored_words(site, ready["session"])) == 11  # ten words, and what was heard of the next
    async with live_socket(site, two) as again:
        resumed = await again.start(session=ready["session"])
        await again.say(pcm[2 * resumed["position"] :])
        await again.stop()
    assert stored_words(site, ready["session"]) == words_of(pcm)


@pytest.mark.slow
async def test_an_engine_that_dies_in_mid_stream_costs_no_word(redis_server, start_site):
    site = start_site(1, **CHECKSUM, REDIS_URL=redis_server.url)
    pcm = noise(120)
    async with live_socket(site, *tickets(site)) as socket:
        await socket.start()
        speaking = asyncio.create_task(socket.say(pcm, pace=0.03))
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
            await socket.say(noise(10, seed))
            await socket.stop()
            assert socket.words() == words_of(noise(10, seed))


@pytest.mark.slow
async def test_who_gives_up_waiting_leaves_nothing_behind(site_with_one_slot):
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
    theirs = "Session.objects.filter(owner__email='patient@example.org')"
    assert site.shell(f"from speech.models import Session; print({theirs}.count())") == "0"


@pytest.mark.slow
async def test_without_an_engine_the_page_is_told(redis_server, start_site):
    site = start_site(REDIS_URL=redis_server.url)
    async with live_socket(site, *tickets(site)) as socket:
        await socket.send(type="start")
        code, error = await socket.closed()
        assert (code, error["what"]) == (4011, "No speech engine is running.")
