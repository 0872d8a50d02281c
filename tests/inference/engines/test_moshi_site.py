"""Small models of Kyutai's in the real site, as `make serve` starts it: one process with both engines."""

import asyncio

import httpx
import pytest

from inference.messages import FRAME_BYTES
from tests.inference.engines.stt.test_moshi_stt import speech_like
from tests.inference.engines.stt.test_moshi_stt_live import transcribe
from tests.support.clients.api import access_to
from tests.support.clients.sockets import tickets
from tests.support.models.checkpoints import VOICES

pytestmark = pytest.mark.models

STT, TTS = "stt-1b-en_fr", "tts-1.6b-en_fr"


@pytest.fixture
def site(start_site, stt_checkpoint, tts_checkpoint):
    return start_site(
        STT_ENGINE=STT,
        STT_MODEL=str(stt_checkpoint),
        TTS_ENGINE=TTS,
        TTS_MODEL=str(tts_checkpoint),
        TTS_VOICES=str(tts_checkpoint / "voices"),
        TTS_QUALITY="fast",
        TTS_SLOTS="2",
        MOSHI_DEVICE="cpu",
        MOSHI_DTYPE="float32",
        OMP_NUM_THREADS="1",
    )


async def test_a_site_transcribes_and_speaks_at_once(site):
    """Each stream has the words that it has alone; they are stored."""
    ticket, headers = iter(tickets(site, 3)), access_to(site).headers
    ada, bruno = speech_like(frames=25, seed=1), speech_like(frames=25, seed=2)
    alone = await transcribe(site, next(ticket), ada)
    words, others, *spoken = await asyncio.gather(
        transcribe(site, next(ticket), ada),
        transcribe(site, next(ticket), bruno),
        *(speak(site, headers, voice) for voice in VOICES[:2]),
    )
    assert words == alone != others
    assert all(len(pcm) % FRAME_BYTES == 0 and len(pcm) > 10 * FRAME_BYTES for pcm in spoken)
    assert spoken[0] != spoken[1]


async def speak(site, headers, voice):
    body = {"input": "hello world", "model": TTS, "voice": voice, "response_format": "pcm"}
    async with httpx.AsyncClient(base_url=f"{site.url}/v1", headers=headers, timeout=60) as client:
        return (await client.post("/audio/speech", json=body)).raise_for_status().content
