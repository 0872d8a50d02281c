"""End to end with a small checkpoint: `manage.py inference` in its own process, Redis, and concurrent clients."""

import asyncio
from itertools import count

import httpx
import pytest

from inference.messages import FRAME_BYTES
from tests.support.clients.api import access_to
from tests.support.models.checkpoints import VOICES

pytestmark = [pytest.mark.models, pytest.mark.slow]

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
        await wait_until_loaded(client)
        yield client


async def test_voices_speak_concurrently_and_a_disconnect_frees_the_slot(client, site):
    voices = (await client.get("/audio/voices")).json()
    assert {voice["id"] for voice in voices["data"]} >= set(VOICES)
    responses = await asyncio.gather(*(client.post("/audio/speech", json=body(voice)) for voice in VOICES))
    spoken = [response.content for response in responses]
    assert all(len(pcm) % FRAME_BYTES == 0 for pcm in spoken)
    assert all(len(pcm) > 20 * FRAME_BYTES for pcm in spoken)
    assert len(set(spoken)) == len(VOICES)

    async with client.stream("POST", "/audio/speech", json=body(VOICES[0], TEXT * 20)) as response:
        assert await anext(response.aiter_raw())
    async with asyncio.timeout(20):
        while (await client.get(f"/models/{ENGINE}")).json()["free"] != len(VOICES):
            await asyncio.sleep(0.1)

    rejected = await client.post("/audio/speech", json=body("unknown"))
    assert rejected.status_code == 400
    assert "unknown" in rejected.json()["error"]["message"]

    async with client.stream("POST", "/audio/speech", json=body(VOICES[0], TEXT * 20)) as response:
        assert await anext(response.aiter_raw())
        await asyncio.to_thread(site.inference[0].stop)
    assert site.inference[0].process.returncode == 0  # not aborted during a step


def body(voice, text=TEXT):
    return {"input": text, "model": ENGINE, "voice": voice, "response_format": "pcm"}


async def wait_until_loaded(client):
    """`wait_until_ready` returns when the engine starts to load; it has slots once it is loaded."""
    async with asyncio.timeout(60):
        for _ in count():
            if (await client.get(f"/models/{ENGINE}")).json().get("slots"):
                return
            await asyncio.sleep(0.2)
