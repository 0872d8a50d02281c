"""Running engines and their voices in the REST API."""

import pytest

from api import engines
from inference.messages import Status, Voice

VOICES = [
    Voice("ada", "Ada", "en-US", "female", "Neural", "CC BY 4.0"),
    Voice("bo", "Bo", "fr", license="CC BY-NC 4.0"),
    Voice("cy", "Cy", "cy"),
]


@pytest.fixture
def _tts_engine(monkeypatch):
    async def tts_engines():
        return {"tones": Status("worker", "tones", "Tones", {}, 1, 1, kind="tts", voices=VOICES)}

    monkeypatch.setattr(engines, "_tts_engines", tts_engines)


@pytest.mark.usefixtures("_tts_engine")
def test_voices_are_listed_with_their_licenses(client):
    first, second, third = client.get("/api/v1/voices/").json()
    assert first == {
        "name": "ada",
        "engine": "tones",
        "label": "Ada",
        "language": "en-US",
        "kind": "female",
        "description": "Neural",
        "license": "CC BY 4.0",
        "is_noncommercial": False,
    }
    assert (second["license"], second["is_noncommercial"]) == ("CC BY-NC 4.0", True)
    assert (third["license"], third["is_noncommercial"]) == ("", False)
