"""What takes its time, or real processes that die, of tests/speech/test_live_socket.py."""

import asyncio

from inference.messages import FRAME_SAMPLES
from tests.inference.speech_like import noise, words_of
from tests.speech.test_live_socket import CHECKSUM, site, site_with_one_slot
from tests.support.sockets import live_socket, stored_words, tickets


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


async def test_without_an_engine_the_page_is_told(redis_server, start_site):
    site = start_site(REDIS_URL=redis_server.url)
    async with live_socket(site, *tickets(site)) as socket:
        await socket.send(type="start")
        code, error = await socket.closed()
        assert (code, error["what"]) == (4011, "No speech engine is running.")
