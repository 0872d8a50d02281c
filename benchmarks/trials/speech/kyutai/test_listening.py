"""What takes its time, or real processes that die, of tests/speech/kyutai/test_listening.py."""

import asyncio

import pytest

from inference.messages import FRAME_SAMPLES
from tests.inference.speech_like import noise, words_of
from tests.speech.kyutai.test_listening import CHECKSUM, site, token
from tests.support.kyutai import asr_streaming
from tests.support.tokens import issue_token


async def test_an_engine_that_dies_costs_no_word_and_doubles_none(redis_server, start_site):
    site = start_site(1, **CHECKSUM, REDIS_URL=redis_server.url)
    pcm = noise(100)
    async with asr_streaming(site, issue_token(site)) as socket:
        await socket.until("Ready")
        await socket.say(pcm[: len(pcm) // 2])
        await socket.until("Word")
        site.inference[0].kill()
        site.add_inference()
        await socket.say(pcm[len(pcm) // 2 :])
        await socket.send(type="Marker", id=0)
        await socket.until("Marker", within=30)
    assert socket.all("Word", "text") == words_of(pcm)
    assert len(socket.all("Step", "prs")) == 100


async def test_what_a_program_sends_is_kept_if_it_says_so_alone(site):
    token = issue_token(site, email="keeper@example.org")
    mine = "from speech.models import Session; mine = Session.objects.filter(owner__email='keeper@example.org'); "
    for query, count in (("", "0"), ("?keep=true", "1")):
        async with asr_streaming(site, token, query) as socket:
            await socket.say(noise(20))
            await socket.until("Word")
        await asyncio.sleep(1.5)
        assert site.shell(f"{mine} print(mine.count())") == count
    assert site.shell(f"{mine} print(*mine.get().words.values_list('text', flat=True))").split() == words_of(noise(20))


async def test_the_public_token_opens_the_door_where_a_setting_says_so(start_site):
    site = start_site(**CHECKSUM, PUBLIC_TOKEN_EMAIL="speaker@example.org")
    issue_token(site)
    async with asr_streaming(site, "public_token") as socket:
        await socket.until("Ready")


async def test_when_all_slots_are_taken_it_is_said_in_the_words_that_clients_know(start_site):
    site = start_site(**CHECKSUM, STT_SLOTS="1")
    token = issue_token(site)
    async with asr_streaming(site, token) as first, asr_streaming(site, token) as second:
        await first.until("Ready")
        assert await second.closed() == 1000
        assert second.heard == [{"type": "Error", "message": "no free channels"}]
    async with asr_streaming(site, token) as third:
        await third.until("Ready")  # a slot is free as soon as its client has gone


async def test_a_rest_of_less_than_a_frame_waits_and_moves_nothing(site, token):
    pcm = noise(20)
    cut = 2 * (7 * FRAME_SAMPLES + 700)
    async with asr_streaming(site, token) as socket:
        await socket.until("Ready")  # so that all of it could be sent on before there is a marker
        await socket.say(pcm[:cut])
        await socket.send(type="Marker", id=0)
        await socket.until("Marker")
        assert socket.all("Word", "text") == words_of(pcm[: 2 * 7 * FRAME_SAMPLES])
        await socket.say(pcm[cut:])
        await socket.send(type="Marker", id=1)
        await socket.until("Marker")
    rest = pcm[2 * 7 * FRAME_SAMPLES :]
    assert socket.all("Word", "text")[2:] == words_of(rest)
    assert socket.all("EndWord", "stop_time")[-1] == pytest.approx(1.6)


async def test_who_sends_much_faster_than_it_is_heard_is_read_more_slowly(site, token):
    pcm = noise(3 * 60 * 25 // 2)  # three minutes
    async with asr_streaming(site, token) as socket:
        listening = asyncio.create_task(socket.until("Marker", within=60))
        await socket.say(pcm, samples=24_000)
        await socket.send(type="Marker", id=0)
        await listening
    assert socket.all("Word", "text") == words_of(pcm)


async def test_text_is_ignored(site, token):
    async with asr_streaming(site, token) as socket:
        await socket.socket.send("hello")
        await socket.say(noise(5))
        await socket.until("Word")
