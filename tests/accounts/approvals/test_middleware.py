"""Every view requires approval unless it is listed here."""

import pytest
from django.test import Client
from django.urls import resolve

from tests.accounts.site_urls import SiteURL, all_urls

OPEN = {
    "home",
    "health",
    "healthz",
    "ready",
    "info",
    "jwks",
    "approval_status",
    "approval_status_json",
    "admin:login",
    "close_account",
    "email_address",
    "email_address_change",
    "profile",
    "invited",
}
PUBLIC = {"asyncapi", "status", "build_info", "modules_info", "metrics", "voice_cloning"}
"""Views without user data."""
LINKS = {"shared", "shared_flac", "shared_wav", "shared_peaks"}
"""Share links, which show one session, with or without an account."""
ALLAUTH = ("account_", "mfa_", "usersessions_")
"""Prefixes of allauth's views for logging in and for the user's own account."""
URLS = all_urls()


def is_open(url: SiteURL) -> bool:
    return url.name in OPEN | PUBLIC | LINKS or url.name.startswith(ALLAUTH)


CLOSED = [url for url in URLS if not is_open(url)]


@pytest.fixture(params=["pending", "rejected"])
def unapproved(request, make_user):
    return make_user(request.param)


def test_all_urls_resolve():
    assert all(resolve(url.path) for url in URLS)


def test_the_main_pages_require_approval():
    assert {
        "live",
        "sessions",
        "session",
        "transcript",
        "transcripts",
        "session_delete",
        "tickets",
        "approvals",
        "admin:index",
    } <= {url.name for url in CLOSED}


def test_every_other_url_is_closed_even_to_a_rejected_admin(make_user, log_in):
    """tests/permissions requests them as accounts without rights, except for Django's admin."""
    client = log_in(make_user("rejected", is_staff=True, is_superuser=True))
    for url in CLOSED:
        assert _is_denied(client.get(url.path, headers={"Accept": "text/html"})), url


@pytest.mark.parametrize("name", ["live", "session_delete", "api_me", "api_session", "openai_speech", "admin:index"])
def test_pages_redirect_to_the_status_page_and_apis_return_the_reason(name, make_user, log_in):
    path = next(url.path for url in CLOSED if url.name == name)
    rejected_admin = make_user("rejected", is_staff=True, is_superuser=True)
    for user in (make_user("pending"), make_user("rejected"), rejected_admin):
        client = log_in(user)
        for send in (client.get, client.post, client.put, client.delete):
            assert _is_denied(send(path, headers={"Accept": "text/html"}))
        response = client.get(path, headers={"Accept": "application/json"})
        assert response.status_code == 403
        assert {"what", "why", "action"} <= response.json().keys()


@pytest.mark.parametrize("name", ["home", "healthz", "account_logout", "email_address", "account_change_password"])
def test_open_pages_are_available_without_approval(name, unapproved, log_in):
    url = next(url for url in URLS if url.name == name)
    assert log_in(unapproved).get(url.path).status_code == 200


def test_a_rejection_takes_effect_immediately(make_user, log_in, admin):
    user = make_user("approved")
    client = log_in(user)
    assert client.get("/sessions/").status_code == 200
    user.reject(admin, "enough")
    assert client.get("/sessions/").url == "/accounts/login/?next=/sessions/"
    new_client = log_in(user)
    assert new_client.get("/sessions/").url == "/accounts/status/"
    assert new_client.get("/sessions/", headers={"Accept": "*/*"}).json()["why"] == "enough"


@pytest.mark.urls("tests.accounts.approvals.unrestricted_urls")
def test_a_new_api_requires_approval(unapproved, log_in):
    assert log_in(unapproved).get("/unrestricted-api/").status_code == 403


@pytest.mark.urls("tests.accounts.approvals.unrestricted_urls")
def test_a_new_page_requires_approval_whatever_its_name(unapproved, log_in):
    assert log_in(unapproved).get("/unrestricted/").url == "/accounts/status/"


@pytest.mark.urls("tests.accounts.approvals.unrestricted_urls")
def test_a_new_page_requires_login(db):
    assert Client().get("/unrestricted/").url == "/accounts/login/?next=/unrestricted/"


def _is_denied(response) -> bool:
    if response.status_code == 403:
        return response.json()["code"] == "not_approved"
    return response.status_code == 302 and response.url == "/accounts/status/"
