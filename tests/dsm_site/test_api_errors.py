"""Errors under the paths of the APIs are JSON in the form of their protocol, whatever part of Django detected them."""

import pytest
from django.core.exceptions import RequestDataTooBig
from django.db import OperationalError
from django.test import AsyncClient, Client

OPENAI = {"message", "type", "param", "code"}
DEEPGRAM = {"err_code", "err_msg", "request_id"}
PROBLEM = {"type", "title", "status", "detail", "code"}
"""Fields of an error."""


@pytest.fixture
def client(db):
    return Client(raise_request_exception=False)


def fields_of(response) -> set[str]:
    assert response.headers["Content-Type"] in ("application/json", "application/problem+json")
    assert response.headers["Content-Length"] == str(len(response.content))
    body = response.json()
    return (body.get("error") or body).keys()


UNKNOWN = {
    "/v1/nothing": OPENAI,
    "/v1/listen/nothing": DEEPGRAM,
    "/v2/listen": PROBLEM,
    "/api/nothing": PROBLEM,
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


async def test_it_works_under_asgi(db):
    response = await AsyncClient(raise_request_exception=False).get("/v1/nothing")
    assert (response.status_code, fields_of(response)) == (404, OPENAI)
