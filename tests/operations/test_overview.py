"""The operations overview, and ending streams."""

import json
import time

import httpx
import pytest
from websockets.sync.client import connect

from tests.support.clients.tokens import issue_token
from tests.support.clients.uploads import CSRF, Sender
from tests.support.speech.checksum_audio import noise

ADMIN = "keeper@example.org"
MAKE_ADMIN = f"from accounts.models import User; User.objects.filter(email='{ADMIN}').update(is_staff=True)"


@pytest.fixture(scope="module")
def admin(checksum_site):
    cookies = Sender(checksum_site, ADMIN).http.cookies
    checksum_site.shell(MAKE_ADMIN)
    headers = {"X-CSRFToken": CSRF, "Origin": checksum_site.url}
    with httpx.Client(base_url=checksum_site.url, cookies=cookies, headers=headers, timeout=30) as http:
        yield http


@pytest.fixture
def stream(checksum_site):
    """An active stream."""
    token = issue_token(checksum_site)
    url = checksum_site.url.replace("http", "ws") + f"/ws/pcm?rate=24000&token={token}"
    with connect(url, max_queue=None) as socket:  # unread messages don't delay the close
        socket.send(noise(25))
        while json.loads(socket.recv(timeout=30))["type"] != "word":
            pass
        yield socket


def wait_for_overview(admin, condition):
    deadline = time.monotonic() + 30
    while not condition(overview := admin.get("/status").raise_for_status().json()):
        if time.monotonic() > deadline:
            raise TimeoutError(overview)
        time.sleep(0.1)
    return overview


def test_the_overview_shows_streams_and_processes(admin, stream):
    overview = wait_for_overview(admin, lambda overview: overview["streams"])
    (active,) = overview["streams"]
    assert (active["owner"], active["kind"], active["engine"]) == ("speaker@example.org", "stt", "checksum")
    assert overview["checks"] == {"database": "ok", "layer": "ok", "engines": "ok"}
    web, *inference = overview["processes"]
    assert (web["role"], web["streams"]) == ("web", 1)
    assert {process["name"] for process in inference} == {web["name"]}  # one process
    page = admin.get("/operations/").text
    assert "speaker@example.org" in page
    assert "<html" not in admin.get("/operations/?state").text


def test_a_client_gets_the_reason_when_its_stream_is_ended(admin, stream):
    (active,) = wait_for_overview(admin, lambda overview: overview["streams"])["streams"]
    assert admin.post("/operations/end/", data={"stream": active["id"]}).status_code == 302
    while (message := json.loads(stream.recv(timeout=30)))["type"] != "error":
        pass
    assert message["what"] == "An administrator ended this stream."
    assert wait_for_overview(admin, lambda overview: not overview["streams"])["engines"][0]["used"] == 0


def test_ending_an_unknown_stream_is_no_error(admin):
    assert admin.post("/operations/end/", data={"stream": "none"}).status_code == 302
