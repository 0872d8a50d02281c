"""Kyutai's speech-to-text WebSocket through real processes, with an engine whose words are checksums of the samples."""

import asyncio

import pytest
import websockets

from inference.messages import FRAME_SAMPLES
from tests.support.clients.http import request
from tests.support.clients.kyutai import asr_streaming
from tests.support.clients.tokens import issue_token
from tests.support.speech.checksum_audio import noise, words_of

CHECKSUM = {"STT_ENGINE": "checksum"}


async def test_every_sample_is_transcribed_and_every_word_has_its_times(site, token):
    pcm = noise(60)
    async with asr_streaming(site, token) as socket:
        assert (await socket.next())["type"] == "Ready"
        await socket.send_audio(pcm, samples=701)
        await socket.send(type="Marker", id=7)
        assert (await socket.until("Marker"))["id"] == 7
    assert socket.all("Word", "text") == words_of(pcm)
    assert socket.all("Word", "start_time") == pytest.approx([0.4 * n for n in range(12)])
    assert socket.all("EndWord", "stop_time") == pytest.approx([0.4 * n for n in range(1, 13)])


async def test_a_step_for_every_frame_precedes_its_words(site, token):
    async with asr_streaming(site, token) as socket:
        await socket.send_audio(noise(20))
        await socket.send(type="Marker", id=1)
        await socket.until("Marker")
    kinds = [message["type"] for message in socket.received]
    assert kinds == ["Ready", *(["Step"] * 5 + ["Word", "EndWord"]) * 4, "Marker"]
    assert all(len(prs) == 4 for prs in socket.all("Step", "prs"))
    assert socket.all("Step", "buffered_pcm")[-1] == 0
    indices = socket.all("Step", "step_idx")
    assert indices == list(range(indices[0], indices[0] + 20))


async def test_audio_is_accepted_before_ready_and_after_a_marker(site, token):
    first, second = noise(10, seed=1), noise(15, seed=2)
    async with asr_streaming(site, token) as socket:
        for number, pcm in enumerate((first, second)):
            await socket.send_audio(pcm)
            await socket.send(type="Marker", id=number)
        await socket.until("Marker")
        await socket.until("Marker")
    assert socket.all("Word", "text") == words_of(first) + words_of(second)


async def test_an_invalid_message_closes_the_connection_with_an_error(site, token):
    async with asr_streaming(site, token) as socket:
        await socket.until("Ready")
        await socket.socket.send(b"\xc1")
        assert await socket.closed() == 4008
    assert "Invalid message." in socket.received[-1]["message"]


# --- Tokens -----------------------------------------------------------------------------------------------------------


async def denied(site, token, query=""):
    with pytest.raises(websockets.InvalidStatus) as refused:
        async with asr_streaming(site, token, query):
            pass
    return refused.value.response.status_code


async def test_without_a_valid_token_the_upgrade_is_denied(site, token):
    assert await denied(site, "") == 401
    assert await denied(site, "public_token") == 401
    assert await denied(site, "wrong", f"?auth_id={token}") == 401
    assert await denied(site, issue_token(site, "--scopes", "tts")) == 403
    assert await denied(site, issue_token(site, "--scopes", "stt"), "?keep=1") == 403


async def test_the_token_may_be_in_the_query_or_a_subprotocol(site, token):
    async with asr_streaming(site, "", f"?auth_id={token}&unknown=1") as socket:
        await socket.until("Ready")
    async with asr_streaming(site, "", subprotocols=["bearer", token]) as socket:
        assert socket.socket.subprotocol == "bearer"
        await socket.until("Ready")


async def test_a_connection_is_closed_when_its_token_is_revoked(site):
    token = issue_token(site)
    async with asr_streaming(site, token) as socket:
        await socket.until("Ready")
        await asyncio.to_thread(request, site, "/api/auth/revoke", {"token": token})
        assert await socket.closed() == 4001
        assert "revoked" in socket.received[-1]["message"]
    assert await denied(site, token) == 401


@pytest.mark.slow
async def test_a_lost_engine_loses_and_duplicates_no_word(redis_server, start_site):
    site = start_site(1, **CHECKSUM, REDIS_URL=redis_server.url)
    pcm = noise(100)
    async with asr_streaming(site, issue_token(site)) as socket:
        await socket.until("Ready")
        await socket.send_audio(pcm[: len(pcm) // 2])
        await socket.until("Word")
        site.inference[0].kill()
        site.add_inference()
        await socket.send_audio(pcm[len(pcm) // 2 :])
        await socket.send(type="Marker", id=0)
        await socket.until("Marker", within=30)
    assert socket.all("Word", "text") == words_of(pcm)
    assert len(socket.all("Step", "prs")) == 100


@pytest.mark.slow
async def test_a_stream_is_saved_only_with_keep(site):
    token = issue_token(site, email="keeper@example.org")
    find = "from speech.models import Session; sessions = Session.objects.filter(owner__email='keeper@example.org')"
    for query, count in (("", "0"), ("?keep=true", "1")):
        async with asr_streaming(site, token, query) as socket:
            await socket.send_audio(noise(20))
            await socket.until("Word")
        await asyncio.sleep(1.5)
        assert site.shell(f"{find}; print(sessions.count())") == count
    stored = site.shell(f"{find}; print(*sessions.get().words.values_list('text', flat=True))").split()
    assert stored == words_of(noise(20))


@pytest.mark.slow
async def test_the_public_token_is_accepted_if_a_setting_enables_it(start_site):
    site = start_site(**CHECKSUM, PUBLIC_TOKEN_EMAIL="speaker@example.org")
    issue_token(site)
    async with asr_streaming(site, "public_token") as socket:
        await socket.until("Ready")


@pytest.mark.slow
async def test_at_capacity_the_error_is_the_one_that_clients_recognize(start_site):
    site = start_site(**CHECKSUM, STT_SLOTS="1")
    token = issue_token(site)
    async with asr_streaming(site, token) as first, asr_streaming(site, token) as second:
        await first.until("Ready")
        assert await second.closed() == 1000
        assert second.received == [{"type": "Error", "message": "no free channels"}]
    async with asr_streaming(site, token) as third:
        await third.until("Ready")  # a slot is free as soon as its client disconnects


@pytest.mark.slow
async def test_an_incomplete_frame_is_kept_and_shifts_no_times(site, token):
    pcm = noise(20)
    cut = 2 * (7 * FRAME_SAMPLES + 700)
    async with asr_streaming(site, token) as socket:
        await socket.until("Ready")  # so that all of it is forwarded before the marker
        await socket.send_audio(pcm[:cut])
        await socket.send(type="Marker", id=0)
        await socket.until("Marker")
        assert socket.all("Word", "text") == words_of(pcm[: 2 * 7 * FRAME_SAMPLES])
        await socket.send_audio(pcm[cut:])
        await socket.send(type="Marker", id=1)
        await socket.until("Marker")
    rest = pcm[2 * 7 * FRAME_SAMPLES :]
    assert socket.all("Word", "text")[2:] == words_of(rest)
    assert socket.all("EndWord", "stop_time")[-1] == pytest.approx(1.6)


@pytest.mark.slow
async def test_audio_that_is_sent_too_fast_waits(site, token):
    pcm = noise(3 * 60 * 25 // 2)  # three minutes
    async with asr_streaming(site, token) as socket:
        marker = asyncio.create_task(socket.until("Marker", within=60))
        await socket.send_audio(pcm, samples=24_000)
        await socket.send(type="Marker", id=0)
        await marker
    assert socket.all("Word", "text") == words_of(pcm)


@pytest.mark.slow
async def test_text_is_ignored(site, token):
    async with asr_streaming(site, token) as socket:
        await socket.socket.send("hello")
        await socket.send_audio(noise(5))
        await socket.until("Word")
