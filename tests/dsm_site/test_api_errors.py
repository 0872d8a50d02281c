"""Errors under the paths of the APIs are JSON in the form of their protocol, whatever part of Django detected them."""

import json

import pytest
from channels.testing import WebsocketCommunicator
from django.core.exceptions import RequestDataTooBig
from django.db import OperationalError
from django.test import AsyncClient, Client

from dsm_site.asgi import application

OPENAI = {"message", "type", "param", "code"}
DEEPGRAM = {"err_code", "err_msg", "request_id"}
PROBLEM = {"type", "title", "status", "detail", "code"}
WHISPER_CPP = {"error"}
"""Fields of an error."""


@pytest.fixture
def client(db):
    return Client(raise_request_exception=False)


def fields_of(response) -> set[str]:
    assert response.headers["Content-Type"] in ("application/json", "application/problem+json")
    assert response.headers["Content-Length"] == str(len(response.content))
    body = response.json()
    error = body.get("error")
    return (error if isinstance(error, dict) else body).keys()


UNKNOWN = {
    "/v1/nothing": OPENAI,
    "/v1/listen/nothing": DEEPGRAM,
    "/v2/listen": DEEPGRAM,
    "/api/nothing": PROBLEM,
    "/inference/nothing": WHISPER_CPP,
    "/api/auth/nothing": PROBLEM,
}


@pytest.mark.parametrize("path", UNKNOWN)
def test_an_unknown_url(path, client):
    response = client.get(path)
    assert (response.status_code, fields_of(response)) == (404, UNKNOWN[path])


@pytest.mark.parametrize("path", ["/api/status", "/api/asyncapi.json"])
def test_a_wrong_method_keeps_the_list_of_allowed_ones(path, client):
    response = client.delete(path)
    assert (response.status_code, fields_of(response)) == (405, PROBLEM)
    assert response.headers["Allow"] == "GET, HEAD"


@pytest.mark.parametrize("path", UNKNOWN)
def test_a_bad_host(path, client):
    response = client.get(path, headers={"Host": "elsewhere.example"})
    assert (response.status_code, fields_of(response)) == (400, UNKNOWN[path])


def test_a_missing_csrf_token(db):
    response = Client(enforce_csrf_checks=True).post("/api/status")
    assert (response.status_code, response.json()["code"]) == (403, "forbidden")


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (RuntimeError("a bug"), 500, "internal_server_error"),
        (OperationalError("no database"), 503, "service_unavailable"),
        (RequestDataTooBig("too big"), 400, "bad_request"),
    ],
)
def test_exceptions(error, status, code, client, monkeypatch):
    def fail():
        raise error

    monkeypatch.setattr("speech.pages.capacity.Link.current", fail)
    response = client.get("/api/status")
    assert (response.status_code, response.json()["code"]) == (status, code)
    assert response.headers.get("Retry-After") == ("5" if status == 503 else None)
    assert "bug" not in response.content.decode()


def test_pages_keep_their_error_pages(client):
    assert client.get("/nothing/").headers["Content-Type"].startswith("text/html")
    assert client.post("/ready").headers["Content-Type"].startswith("text/html")


@pytest.mark.parametrize(
    "path", ["/v1/nothing", "/v1/listen/nothing", "/v2/nothing", "/api/nothing", "/v1/audio/speech"]
)
async def test_an_unknown_websocket(path):
    """The handshake is denied as a request would be."""
    socket = WebsocketCommunicator(application, path)
    socket.scope["extensions"] = {"websocket.http.response": {}}
    await socket.send_input({"type": "websocket.connect"})
    start, body = [await socket.receive_output(10) for _ in range(2)]
    assert (start["type"], start["status"]) == ("websocket.http.response.start", 404)
    content = json.loads(body["body"])
    error = content.get("error")
    fields = DEEPGRAM if "listen" in path or "v2" in path else OPENAI if "v1" in path else PROBLEM
    assert (error if isinstance(error, dict) else content).keys() == fields


@pytest.mark.parametrize("path", ["/elsewhere", "/v1/nothing"])
async def test_an_unknown_websocket_is_closed_where_the_server_sends_no_response(path):
    socket = WebsocketCommunicator(application, path)
    assert (await socket.connect(10))[0] is False


async def test_it_works_under_asgi(db):
    response = await AsyncClient(raise_request_exception=False).get("/v1/nothing")
    assert (response.status_code, fields_of(response)) == (404, OPENAI)
