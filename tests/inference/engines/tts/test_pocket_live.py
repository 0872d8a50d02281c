"""End to end with a small Pocket TTS model: a custom preset, a site and an API client."""

import httpx
import pytest

from inference.messages import FRAME_BYTES
from tests.support.clients.api import access_to
from tests.support.models.pocket import build

pytestmark = [pytest.mark.models, pytest.mark.slow]

PRESET = """
[pocket-tts-en]
label = "Tiny"
model = "{model}"
voices = "{voices}"
params_billions = 0.001
slot_mb = 1
"""


@pytest.fixture
def site(start_site, tmp_path):
    config = build(tmp_path / "model", voices=("ada", "bruno"))
    presets = tmp_path / "presets.toml"
    presets.write_text(PRESET.format(model=config, voices=config.with_name("voices")))
    env = {"STT_ENGINE": "checksum", "TTS_ENGINE": "pocket-tts-en", "TTS_SLOTS": "2", "PRESETS_FILE": str(presets)}
    return start_site(0, **env)


def test_an_api_client_receives_speech(site):
    headers = access_to(site).headers
    with httpx.Client(base_url=f"{site.url}/v1", headers=headers, timeout=60) as client:
        spoken = [
            client.post("/audio/speech", json=body(voice)).raise_for_status().content for voice in ("ada", "bruno")
        ]
    assert all(len(pcm) > 12 * FRAME_BYTES for pcm in spoken)
    assert spoken[0] != spoken[1]


def body(voice):
    text = "the quick brown fox jumps over the lazy dog."
    return {"input": text, "model": "pocket-tts-en", "voice": voice, "response_format": "pcm"}
