"""The operations overview, and ending streams."""

import json
import logging
import time
from datetime import UTC, datetime

import httpx
import pytest
from django.template.loader import render_to_string
from django.test import AsyncClient
from websockets.sync.client import connect

from accounts.models import User
from inference.messages import SlotLimits, Status
from operations.report import process_report
from operations.report.overview import engine
from speech.gateway.link import Link
from speech.models import ConversationUsage
from tests.support.clients.tokens import issue_token
from tests.support.clients.uploads import CSRF, Sender
from tests.support.servers.language_model import running_language_model
from tests.support.servers.ports import free_port
from tests.support.speech.checksum_audio import noise
from tests.support.speech.language_models import info_of

ADMIN = "keeper@example.org"
LLM_KEY = "canary-key-51b5c495"
MAKE_ADMIN = f"from accounts.models import User; User.objects.filter(email='{ADMIN}').update(is_staff=True)"


@pytest.fixture(scope="module")
def admin(checksum_site):
    with admin_of(checksum_site) as http:
        yield http


def admin_of(site):
    """A client in which an administrator of the site is logged in."""
    cookies = Sender(site, ADMIN).http.cookies
    site.shell(MAKE_ADMIN)
    headers = {"X-CSRFToken": CSRF, "Origin": site.url}
    return httpx.Client(base_url=site.url, cookies=cookies, headers=headers, timeout=30)


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
    assert overview["checks"] == {"database": "ok", "layer": "ok", "engines": "ok", "disk": "ok"}
    web, *inference = overview["processes"]
    assert (web["role"], web["streams"]) == ("web", 1)
    assert {process["name"] for process in inference} == {web["name"]}  # one process
    assert "speaker@example.org" in admin.get("/operations/").text


def test_a_client_gets_the_reason_when_its_stream_is_ended(admin, stream):
    (active,) = wait_for_overview(admin, lambda overview: overview["streams"])["streams"]
    assert admin.post("/operations/end/", data={"stream": active["id"]}).status_code == 302
    while (message := json.loads(stream.recv(timeout=30)))["type"] != "error":
        pass
    assert message["what"] == "An administrator ended this stream."
    assert wait_for_overview(admin, lambda overview: not overview["streams"])["engines"][0]["used"] == 0


def test_ending_an_unknown_stream_is_no_error(admin):
    assert admin.post("/operations/end/", data={"stream": "none"}).status_code == 302


@pytest.fixture
def client(transactional_db, no_engines, monkeypatch):
    """A client of this process in which an administrator is logged in."""
    monkeypatch.setattr(process_report, "QUIET_TIMEOUT", 0.0)  # no process reports
    client = AsyncClient()
    client.force_login(User.objects.create_superuser(ADMIN))
    return client


@pytest.fixture
def usage(client):
    small, big = (User.objects.create_user(f"{name}@example.org").pk for name in ("small", "big"))
    ConversationUsage.add(small, conversations=5, prompt_tokens=10)
    ConversationUsage.add(big, conversations=1, replies=2, completion_tokens=3_456, played_samples=65 * 24_000)


async def test_the_overview_shows_who_uses_language_models(client, usage):
    shown = (await client.get("/status")).json()["language_model_usage"]
    assert [each["owner"] for each in shown] == ["big@example.org", "small@example.org"]
    assert (shown[0]["completion_tokens"], shown[0]["played_seconds"]) == (3456, 65.0)
    assert "0 in prompts, 3,456 generated" in (await client.get("/operations/")).text


async def test_an_open_page_refreshes_only_a_part_of_it(client):
    page, part = [(await client.get(path)).text for path in ("/operations/", "/operations/?state")]
    assert "<html" in page
    assert "<html" not in part
    assert "Language models" in part


async def test_the_overview_shows_the_health_of_language_models_but_no_key(client, settings, caplog):
    caplog.set_level(logging.DEBUG)
    with running_language_model(models=["scripted"], api_key=LLM_KEY) as server:
        dead_url = f"http://127.0.0.1:{free_port()}/v1"
        settings.LLM_MODELS = [info_of(server, api_key=LLM_KEY), info_of(dead_url, label="None", api_key=LLM_KEY)]
        status = await client.get("/status")
        page = (await client.get("/operations/")).text
        assert server.requests == []
    alive, dead, *_ = status.json()["language_models"]
    assert (alive["label"], alive["server"]) == ("Scripted", server.address.removeprefix("http://"))
    assert (alive["is_default"], alive["error"]) == (True, "")
    assert (dead["label"], dead["error"]) == ("None", "Its server isn't running, or there is no connection to it.")
    assert "Language models" in page
    assert dead["error"].replace("'", "&#x27;") in page
    assert LLM_KEY not in status.text + page + caplog.text


async def test_the_page_shows_how_many_slots_memory_and_step_time_would_allow_in_all_processes(no_engines):
    link = Link.current()
    for worker, limits in (("a", SlotLimits(180, 90)), ("b", SlotLimits(100, 60)), ("c", None)):
        status = Status(worker, "stt-1b-en_fr", "STT 1B", {}, slots=75, free=75, slot_limits=limits)
        link.workers.update(status)
    engines = [engine(link, status) for status in await link.workers.all_engines()]
    assert [each["slot_limits"] for each in engines] == [{"memory": 280, "time": 150}]
    page = render_to_string("operations/state.html", {"engines": engines})
    assert "memory would allow 280, step time allows 150" in page


async def test_the_page_shows_when_the_number_of_slots_was_measured(no_engines):
    link = Link.current()
    slots = {"slots": 15, "free": 12}
    link.workers.update(Status("w", "moonshine", "Moonshine", {"en": "English"}, **slots, measured_at=1_700_000_000.0))
    link.workers.update(Status("x", "checksum", "Checksum", {"en": "English"}, **slots))
    engines = [engine(link, status) for status in await link.workers.all_engines()]
    assert [each["measured"] for each in engines] == [None, datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)]
    page = render_to_string("operations/state.html", {"engines": engines})
    assert page.count("measured") == 1
    assert "3 of 15" in page
