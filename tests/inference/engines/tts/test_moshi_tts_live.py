"""The whole way with a small checkpoint: `manage.py inference` in its own process, Redis, and several listeners."""

import asyncio
from itertools import count

import httpx
import pytest

from inference.messages import FRAME_BYTES
from tests.support.clients.api import access_to
from tests.support.models.checkpoints import VOICES

pytestmark = pytest.mark.slow

ENGINE = "tts-1.6b-en_fr"
TEXT = "the quick brown fox <break time='0.5s'/> jumps"


@pytest.fixture
def site(start_site, redis_server, tts_checkpoint):
    site = start_site(
        0,
        REDIS_URL=redis_server.url,
        STT_ENGINE="checksum",
        TTS_ENGINE=ENGINE,
        TTS_MODEL=str(tts_checkpoint),
        TTS_VOICES=str(tts_checkpoint / "voices"),
        TTS_QUALITY="fast",
        TTS_SLOTS=str(len(VOICES)),
        MOSHI_DEVICE="cpu",
        MOSHI_DTYPE="float32",
        OMP_NUM_THREADS="1",
    )
    site.add_inference("--engine", ENGINE)
    site.wait_until_ready()
    return site


@pytest.fixture
async def client(site):
    access = access_to(site)
    async with httpx.AsyncClient(base_url=f"{site.url}/v1", headers=access.headers, timeout=60) as client:
        await until_it_is_up(client)
        yield client


async def test_several_voices_speak_at_once_and_whoever_stops_listening_frees_a_slot(client, site):
    voices = (await client.get("/audio/voices")).json()
    assert {voice["id"] for voice in voices["data"]} >= set(VOICES)
    answers = await asyncio.gather(*(client.post("/audio/speech", json=asked(voice)) for voice in VOICES))
    spoken = [answer.content for answer in answers]
    assert all(len(pcm) % FRAME_BYTES == 0 for pcm in spoken)
    assert all(len(pcm) > 20 * FRAME_BYTES for pcm in spoken)
    assert len(set(spoken)) == len(VOICES)

    async with client.stream("POST", "/audio/speech", json=asked(VOICES[0], TEXT * 20)) as answer:
        assert await anext(answer.aiter_raw())
    async with asyncio.timeout(20):
        while (await client.get(f"/models/{ENGINE}")).json()["free"] != len(VOICES):
            await asyncio.sleep(0.1)

    refused = await client.post("/audio/speech", json=asked("nobody"))
    assert refused.status_code == 400
    assert "nobody" in refused.json()["error"]["message"]

    async with client.stream("POST", "/audio/speech", json=asked(VOICES[0], TEXT * 20)) as answer:
        assert await anext(answer.aiter_raw())
        await asyncio.to_thread(site.inference[0].stop)
    assert site.inference[0].process.returncode == 0  # and not aborted in the middle of a step


def asked(voice, text=TEXT):
    return {"input": text, "model": ENGINE, "voice": voice, "response_format": "pcm"}


async def until_it_is_up(client):
    """It has said that it begins to load, not that it is done."""
    async with asyncio.timeout(60):
        for _ in count():
            if (await client.get(f"/models/{ENGINE}")).json().get("slots"):
                return
            await asyncio.sleep(0.2)
