"""What administrators see of what runs, and how they end it."""

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
    """Somebody speaks."""
    token = issue_token(checksum_site)
    url = checksum_site.url.replace("http", "ws") + f"/ws/pcm?rate=24000&token={token}"
    with connect(url, max_queue=None) as socket:  # what nobody reads does not hold up the goodbye
        socket.send(noise(25))
        while json.loads(socket.recv(timeout=30))["type"] != "word":
            pass
        yield socket


def overview(admin, until):
    deadline = time.monotonic() + 30
    while not until(told := admin.get("/status").raise_for_status().json()):
        if time.monotonic() > deadline:
            raise TimeoutError(told)
        time.sleep(0.1)
    return told


def test_it_shows_who_speaks_where(admin, stream):
    told = overview(admin, lambda told: told["streams"])
    (speaking,) = told["streams"]
    assert (speaking["owner"], speaking["kind"], speaking["engine"]) == ("speaker@example.org", "stt", "checksum")
    assert told["checks"] == {"database": "ok", "layer": "ok", "engines": "ok"}
    web, *inference = told["processes"]
    assert (web["does"], web["streams"]) == ("web", 1)
    assert {process["name"] for process in inference} == {web["name"]}  # all in one
    page = admin.get("/operations/").text
    assert "speaker@example.org" in page
    assert "<html" not in admin.get("/operations/?state").text


def test_a_stream_that_is_ended_is_told_why(admin, stream):
    (speaking,) = overview(admin, lambda told: told["streams"])["streams"]
    assert admin.post("/operations/end/", data={"stream": speaking["id"]}).status_code == 302
    while (told := json.loads(stream.recv(timeout=30)))["type"] != "error":
        pass
    assert told["what"] == "An administrator has ended this stream."
    assert overview(admin, lambda told: not told["streams"])["engines"][0]["used"] == 0


def test_a_stream_that_is_gone_is_no_fault(admin):
    assert admin.post("/operations/end/", data={"stream": "none"}).status_code == 302
