"""Every response has the default headers: pages, APIs, errors, redirects, static files and downloads."""

import pytest
from django.http import HttpResponse
from django.test import AsyncClient, Client, RequestFactory

from accounts.models import User
from dsm_site.default_headers import HEADERS, USED_FEATURES, default_headers
from tests.accounts.site_urls import all_urls
from tests.permissions.requests import send

PUBLIC = {"/.well-known/jwks.json": "public, max-age=300"}
"""The only URLs whose responses caches may store; static files have none in the URLconf."""


@pytest.fixture
def founder(db, monkeypatch):
    from operations.report import process_report
    from speech.gateway import workers

    for timeout in ("DISCOVERY_TIMEOUT", "VOICES_TIMEOUT"):
        monkeypatch.setattr(workers, timeout, 0.0)  # no engine is running
    monkeypatch.setattr(process_report, "QUIET_TIMEOUT", 0.0)
    client = Client(raise_request_exception=False)
    client.force_login(User.objects.create_superuser("founder@example.org"))
    return client


def missing(response) -> dict[str, str | None]:
    found = {name: response.headers.get(name) for name in HEADERS}
    return {name: value for name, value in found.items() if value != HEADERS[name]}


@pytest.mark.parametrize("is_logged_in", [True, False])
def test_no_response_is_stored_by_default(is_logged_in, founder):
    client = founder if is_logged_in else Client(raise_request_exception=False)
    stored = {}
    for path in sorted({url.path for url in all_urls()} | {"/nothing/", "/api/v1/nothing/", "/v1/nothing"}):
        response = send(client, "GET", path)
        assert (path, missing(response)) == (path, {})
        if "no-store" not in response.headers["Cache-Control"]:
            stored[path] = response.headers["Cache-Control"]
    assert stored == PUBLIC


def test_errors_of_the_outermost_middleware_have_the_headers(client):
    response = client.get("/v1/models", headers={"Host": "elsewhere.example"})
    assert (response.status_code, missing(response), response.headers["Cache-Control"]) == (400, {}, "no-store")


async def test_static_files_are_cached_and_have_the_other_headers():
    response = await AsyncClient().get("/static/js/pages/live.js")
    assert (response.status_code, missing(response)) == (200, {})
    assert response.headers["Cache-Control"] == "max-age=0, public"


@pytest.mark.parametrize(
    ("own", "sent"),
    [
        (None, "no-store"),
        ("private, max-age=60", "no-store"),
        ("max-age=60", "no-store"),
        ("public, max-age=60", "public, max-age=60"),
        ("max-age=0, no-cache, no-store", "max-age=0, no-cache, no-store"),
    ],
)
def test_only_a_public_response_may_be_stored(own, sent):
    def view(request):
        return HttpResponse(headers={"Cache-Control": own} if own else None)

    assert default_headers(view)(RequestFactory().get("/")).headers["Cache-Control"] == sent


def test_the_microphone_is_for_the_site_itself_and_the_camera_for_no_one():
    policy = HEADERS["Permissions-Policy"].split(", ")
    assert "microphone=(self)" in policy
    assert "camera=()" in policy
    assert [each for each in policy if each.endswith("=(self)")] == [f"{name}=(self)" for name in USED_FEATURES]
