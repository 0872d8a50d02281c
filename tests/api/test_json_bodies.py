"""Every endpoint that reads JSON answers an invalid body with 400 in its own format."""

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import resolve
from rest_framework.parsers import JSONParser

from accounts.credentials.credentials import Credentials
from accounts.models import Token, User
from accounts.scopes import ALL_SCOPES
from api.conventions.json_parser import JsonParser
from tests.permissions.requests import SITE
from tests.speech.text.test_json_input import INVALID

DIALECTS = ("/v1/audio/speech", "/v1/realtime/client_secrets", "/api/tts", "/api/tts_streaming")
"""Endpoints outside REST framework that read JSON."""
ALL_OPTIONAL = "/v1/realtime/client_secrets"
"""Has no required field, and ignores what it doesn't know."""
WRITES = {"post", "put", "patch"}


def rest_views() -> list[tuple[str, str, type]]:
    """Path, method and class of each method of a REST view that can have a body."""
    found = []
    for url in SITE:
        view = getattr(resolve(url.path).func, "cls", None)
        found += [(url.path, method, view) for method in WRITES if view and hasattr(view, method)]
    return sorted(found, key=lambda each: each[:2])


@pytest.fixture
def client(db, monkeypatch):
    monkeypatch.setattr(Credentials, "asks_issuer", False)  # else in another thread, which doesn't see the account
    cache.clear()  # the counts of rate limits
    founder = User.objects.create_superuser("founder@example.org")
    _, token = Token.create(founder, Token.Kind.API, "all", ALL_SCOPES, None)
    return Client(raise_request_exception=False, headers={"Authorization": f"Bearer {token}"})


@pytest.mark.parametrize("path", DIALECTS)
def test_a_dialects_endpoint_rejects_invalid_json(path, client):
    for what, body in INVALID.items():
        response = client.post(path, body, "application/json")
        if path == ALL_OPTIONAL and response.status_code == 200:
            continue
        expected = 500 if path.startswith("/api/") else 400  # Kyutai's server has one status for all errors
        assert (what, response.status_code) == (what, expected)
        assert b"Invalid request body." in response.content


@pytest.mark.parametrize("path", ["/api/v1/personas/", "/api/auth/refresh", "/api/auth/revoke", "/api/auth/token"])
def test_a_rest_view_rejects_invalid_json(path, client):
    for what, body in INVALID.items():
        if body:  # REST framework takes no body for an empty object
            response = client.post(path, body, "application/json")
            assert (what, response.status_code) == (what, 400)
            assert response.json()


def test_every_rest_view_that_reads_json_uses_this_parser():
    parsers = {(path, parser) for path, _, view in rest_views() for parser in view.parser_classes}
    assert JsonParser in {parser for _, parser in parsers}
    assert {path for path, parser in parsers if issubclass(parser, JSONParser)} == set()
