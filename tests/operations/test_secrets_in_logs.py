"""No log line contains a password, a token or transcribed words."""

import json

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from tests.support.clients.api import wav_of
from tests.support.clients.tokens import issue_token
from tests.support.clients.uploads import CSRF
from tests.support.speech.checksum_audio import noise, words_of

PASSWORD = "canary-password-51b5c495"
SENTENCE = "canarysentence"
WRONG = "dsm_canary-token-72c0454a"


@pytest.fixture(scope="module")
def token(checksum_site):
    return issue_token(checksum_site)


def log_in(http):
    form = {"login": "speaker@example.org", "password": PASSWORD, "csrfmiddlewaretoken": CSRF}
    http.post("/accounts/login/", data=form, headers={"Cookie": f"csrftoken={CSRF}", "Referer": str(http.base_url)})


def call(http, token):
    """Call every API with valid and invalid credentials and content."""
    for headers in ({"Authorization": f"Bearer {each}"} for each in (token, WRONG)):
        http.get("/v1/models", headers=headers)
        http.get(f"/v1/models?token={WRONG}")
        files = {"file": ("speech.wav", wav_of(noise(25)))}
        http.post("/v1/audio/transcriptions", headers=headers, files=files, data={"model": "checksum"})
        request = {"model": "tones", "input": f"{SENTENCE} and more", "response_format": "wav"}
        http.post("/v1/audio/speech", headers=headers, json=request)
        http.post("/v1/audio/speech", headers=headers, content=b'{"input": "' + SENTENCE.encode())
    http.get(f"/shared/{WRONG}/")
    http.get(f"/accounts/invited/{WRONG}/")


def stream(url, token):
    for each in (token, WRONG):
        try:
            with connect(f"{url}/ws/pcm?rate=24000&token={each}", max_queue=None) as socket:
                socket.send(noise(25))
                socket.send(json.dumps({"type": "flush"}))
                while json.loads(socket.recv(timeout=30))["type"] != "flushed":
                    pass
                socket.send(json.dumps({"type": SENTENCE}))
                while True:
                    socket.recv(timeout=30)
        except (InvalidStatus, ConnectionClosed):
            pass


def test_log_lines_contain_no_secrets(checksum_site, token):
    with httpx.Client(base_url=checksum_site.url, timeout=30) as http:
        log_in(http)
        call(http, token)
    stream(checksum_site.url.replace("http", "ws"), token)
    log = checksum_site.log
    assert " granted" in log  # the log is not empty
    for secret in (PASSWORD, WRONG, token, SENTENCE, *words_of(noise(25))):
        lines = [line for line in log.splitlines() if secret in line]
        assert lines == []
