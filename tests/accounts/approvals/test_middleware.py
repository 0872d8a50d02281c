"""No view is open to who is not approved unless it is named here, whoever adds it."""

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
    "standing",
    "standing_json",
    "admin:login",
    "close_account",
    "profile",
    "invited",
}
TOLD_TO_ANYBODY = {"asyncapi", "status", "build_info", "modules_info", "metrics", "voice_cloning"}
"""Nothing of a user's is in them."""
LINKS = {"shared", "shared_flac", "shared_wav", "shared_peaks"}
"""Whoever has one of these reads one session, with or without an account."""
ALLAUTH = ("account_", "mfa_", "usersessions_")
"""One's own account, or how to get into it."""
URLS = all_urls()


def is_open(url: SiteURL) -> bool:
    return url.name in OPEN | TOLD_TO_ANYBODY | LINKS or url.name.startswith(ALLAUTH)


CLOSED = [url for url in URLS if not is_open(url)]


@pytest.fixture(params=["pending", "rejected"])
def unapproved(request, make_user):
    return make_user(request.param)


def test_the_walk_finds_each_view():
    assert all(resolve(url.path) for url in URLS)


def test_the_walk_finds_what_must_be_closed():
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


@pytest.mark.parametrize("url", CLOSED, ids=lambda url: url.name)
def test_a_page_sends_them_to_their_standing_and_a_program_is_told_why(url, make_user, log_in):
    rejected_admin = make_user("rejected", is_staff=True, is_superuser=True)
    for user in (make_user("pending"), make_user("rejected"), rejected_admin):
        client = log_in(user)
        for ask in (client.get, client.post, client.put, client.delete):
            assert _is_refusal(ask(url.path, headers={"Accept": "text/html"}))
        response = client.get(url.path, headers={"Accept": "application/json"})
        assert response.status_code == 403
        assert {"what", "why", "action"} <= response.json().keys()


@pytest.mark.parametrize("name", ["home", "healthz", "account_logout", "account_email", "account_change_password"])
def test_what_is_open_stays_open(name, unapproved, log_in):
    url = next(url for url in URLS if url.name == name)
    assert log_in(unapproved).get(url.path).status_code == 200


def test_one_who_is_rejected_meanwhile_is_out_at_once(make_user, log_in, admin):
    user = make_user("approved")
    client = log_in(user)
    assert client.get("/sessions/").status_code == 200
    user.reject(admin, "enough")
    assert client.get("/sessions/").url == "/accounts/login/?next=/sessions/"
    again = log_in(user)
    assert again.get("/sessions/").url == "/accounts/standing/"
    assert again.get("/sessions/", headers={"Accept": "*/*"}).json()["why"] == "enough"


# --- A view that somebody adds and forgets to think about -------------------------------------------------------------


@pytest.mark.urls("tests.accounts.approvals.forgotten_urls")
def test_an_api_that_is_forgotten_is_closed(unapproved, log_in):
    assert log_in(unapproved).get("/forgotten-api/").status_code == 403


@pytest.mark.urls("tests.accounts.approvals.forgotten_urls")
def test_a_page_that_is_forgotten_is_closed_whatever_its_name(unapproved, log_in):
    assert log_in(unapproved).get("/forgotten/").url == "/accounts/standing/"


@pytest.mark.urls("tests.accounts.approvals.forgotten_urls")
def test_a_page_that_is_forgotten_is_closed_to_the_anonymous(db):
    assert Client().get("/forgotten/").url == "/accounts/login/?next=/forgotten/"


def _is_refusal(response) -> bool:
    if response.status_code == 403:
        return response.json()["code"] == "not_approved"
    return response.status_code == 302 and response.url == "/accounts/standing/"
