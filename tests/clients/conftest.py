"""A site with real engines, and the recording and the text that clients send."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.support.clients.api import Access, access_to, wav_of
from tests.support.clients.http import request
from tests.support.servers.site import Site
from tests.support.servers.site_fixture import site_fixture
from tests.support.speech.audio import Recording
from tests.support.speech.words import word_error_rate

SENTENCE = "The quick brown fox jumps over the lazy dog, and no one minds."
"""What the programs that synthesize speech speak."""

ACCOUNT = "clients@example.org"

speech_site = site_fixture("package", TTS_ENGINE="piper", STT_SLOTS="0", PUBLIC_TOKEN_EMAIL=ACCOUNT)
"""A site that transcribes and speaks, also for clients with Kyutai's default token."""


@pytest.fixture(scope="package")
def speech_access(speech_site: Site) -> Access:
    return access_to(speech_site, ACCOUNT)


@pytest.fixture
def transcribes(speech_access: Access, excerpt: Recording) -> Callable[[Callable[[str, str, Path], str]], None]:
    """Assert that a client, a function of the site's URL, a token and a recording, returns the words."""

    def check(client: Callable[[str, str, Path], str]) -> None:
        text = client(speech_access.url, speech_access.token, excerpt.wav(24_000))
        assert word_error_rate(excerpt.text, text) <= 0.1, text

    return check


@pytest.fixture
def speaks(speech_access: Access, tmp_path: Path) -> Callable[[Callable[[str, str, Path], object]], None]:
    """Assert that a client, a function of the site's URL, a token and a file, writes speech of `SENTENCE` to the file:
    s16le, 24 kHz."""

    def check(client: Callable[[str, str, Path], object]) -> None:
        out = tmp_path / "speech.raw"
        client(speech_access.url, speech_access.token, out)
        audio = np.frombuffer(out.read_bytes(), "<i2")
        assert np.abs(audio).max() > 2_000
        assert word_error_rate(SENTENCE, _transcribed(speech_access, audio.tobytes())) <= 0.25

    return check


def _transcribed(access: Access, pcm: bytes) -> str:
    headers = {"Authorization": f"Token {access.token}", "Content-Type": "audio/wav"}
    answer = request(access.site, "/v1/listen", wav_of(pcm), **headers).json
    return answer["results"]["channels"][0]["alternatives"][0]["transcript"]
