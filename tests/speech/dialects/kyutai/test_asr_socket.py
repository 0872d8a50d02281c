"""Kyutai's speech-to-text socket through real processes, with an engine whose words prove every sample."""

import asyncio

import pytest
import websockets

from inference.messages import FRAME_SAMPLES
from tests.support.clients.http import ask
from tests.support.clients.kyutai import asr_streaming
from tests.support.clients.tokens import issue_token
from tests.support.speech.checksum_audio import noise, words_of

CHECKSUM = {"STT_ENGINE": "checksum"}


@pytest.fixture
def site(checksum_site):
    return checksum_site


@pytest.fixture
def token(checksum_token):
    return checksum_token


async def test_every_sample_is_heard_and_every_word_has_its_times(site, token):
    pcm = noise(60)
    async with asr_streaming(site, token) as socket:
        assert (await socket.next())["type"] == "Ready"
        await socket.say(pcm, samples=701)
        await socket.send(type="Marker", id=7)
        assert (await socket.until("Marker"))["id"] == 7
    assert socket.all("Word", "text") == words_of(pcm)
    assert socket.all("Word", "start_time") == pytest.approx([0.4 * n for n in range(12)])
    assert socket.all("EndWord", "stop_time") == pytest.approx([0.4 * n for n in range(1, 13)])


async def test_there_is_a_step_for_every_frame_before_the_words_that_it_brought(site, token):
    async with asr_streaming(site, token) as socket:
        await socket.say(noise(20))
        await socket.send(type="Marker", id=1)
        await socket.until("Marker")
    kinds = [message["type"] for message in socket.heard]
    assert kinds == ["Ready", *(["Step"] * 5 + ["Word", "EndWord"]) * 4, "Marker"]
    assert all(len(prs) == 4 for prs in socket.all("Step", "prs"))
    assert socket.all("Step", "buffered_pcm")[-1] == 0
    indices = socket.all("Step", "step_idx")
    assert indices == list(range(indices[0], indices[0] + 20))


async def test_audio_may_come_before_it_is_asked_for_and_after_a_marker(site, token):
    first, second = noise(10, seed=1), noise(15, seed=2)
    async with asr_streaming(site, token) as socket:
        for number, pcm in enumerate((first, second)):
            await socket.say(pcm)
            await socket.send(type="Marker", id=number)
        await socket.until("Marker")
        await socket.until("Marker")
    assert socket.all("Word", "text") == words_of(first) + words_of(second)


async def test_a_message_that_cannot_be_read_ends_the_socket_and_says_why(site, token):
    async with asr_streaming(site, token) as socket:
        await socket.until("Ready")
        await socket.socket.send(b"\xc1")
        assert await socket.closed() == 4008
    assert "could not be read" in socket.heard[-1]["message"]


# --- Who may ----------------------------------------------------------------------------------------------------------


async def denied(site, token, query=""):
    with pytest.raises(websockets.InvalidStatus) as refused:
        async with asr_streaming(site, token, query):
            pass
    return refused.value.response.status_code


async def test_who_has_no_right_token_is_denied_before_the_upgrade(site, token):
    assert await denied(site, "") == 403
    assert await denied(site, "public_token") == 403
    assert await denied(site, "wrong", f"?auth_id={token}") == 403
    assert await denied(site, issue_token(site, "--scopes", "tts")) == 403
    assert await denied(site, issue_token(site, "--scopes", "stt"), "?keep=1") == 403


async def test_the_token_may_be_in_the_query_or_a_subprotocol(site, token):
    async with asr_streaming(site, "", f"?auth_id={token}&unknown=1") as socket:
        await socket.until("Ready")
    async with asr_streaming(site, "", subprotocols=["bearer", token]) as socket:
        assert socket.socket.subprotocol == "bearer"
        await socket.until("Ready")


async def test_a_live_socket_ends_when_its_token_is_revoked(site):
    token = issue_token(site)
    async with asr_streaming(site, token) as socket:
        await socket.until("Ready")
        await asyncio.to_thread(ask, site, "/api/auth/revoke", {"token": token})
        assert await socket.closed() == 4001
        assert "revoked" in socket.heard[-1]["message"]
    assert await denied(site, token) == 403


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
async def test_the_public_token_opens_the_door_where_a_setting_says_so(start_site):
    site = start_site(**CHECKSUM, PUBLIC_TOKEN_EMAIL="speaker@example.org")
    issue_token(site)
    async with asr_streaming(site, "public_token") as socket:
        await socket.until("Ready")


@pytest.mark.slow
async def test_when_all_slots_are_taken_it_is_said_in_the_words_that_clients_know(start_site):
    site = start_site(**CHECKSUM, STT_SLOTS="1")
    token = issue_token(site)
    async with asr_streaming(site, token) as first, asr_streaming(site, token) as second:
        await first.until("Ready")
        assert await second.closed() == 1000
        assert second.heard == [{"type": "Error", "message": "no free channels"}]
    async with asr_streaming(site, token) as third:
        await third.until("Ready")  # a slot is free as soon as its client has gone


@pytest.mark.slow
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


@pytest.mark.slow
async def test_who_sends_much_faster_than_it_is_heard_is_read_more_slowly(site, token):
    pcm = noise(3 * 60 * 25 // 2)  # three minutes
    async with asr_streaming(site, token) as socket:
        listening = asyncio.create_task(socket.until("Marker", within=60))
        await socket.say(pcm, samples=24_000)
        await socket.send(type="Marker", id=0)
        await listening
    assert socket.all("Word", "text") == words_of(pcm)


@pytest.mark.slow
async def test_text_is_ignored(site, token):
    async with asr_streaming(site, token) as socket:
        await socket.socket.send("hello")
        await socket.say(noise(5))
        await socket.until("Word")
