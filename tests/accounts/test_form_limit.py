"""The rate limit of the forms that a logged-in user submits."""

import pytest
from django.conf import settings

from accounts.credentials.throttling import FormThrottle

LIMIT = 3


@pytest.fixture
def client(make_user, log_in, monkeypatch):
    monkeypatch.setattr(FormThrottle, "rate", f"{LIMIT}/min", raising=False)
    return log_in(make_user("approved"))


def submit(client, **headers):
    return client.post("/sessions/bulk/", {}, headers=headers)


def test_too_many_forms_get_a_page_that_says_why_and_what_to_do(client):
    assert [submit(client).status_code for _ in range(LIMIT + 1)] == [302] * LIMIT + [429]
    response = submit(client)
    page = response.content.decode()
    assert "Too many requests" in page
    assert f"The limit is {LIMIT} requests per minute" in page
    assert f"Wait {response.headers['Retry-After']} s" in page


def test_a_script_gets_json_and_can_keep_the_form_open(client):
    for _ in range(LIMIT):
        submit(client)
    response = submit(client, accept="application/json")
    assert response.status_code == 429
    assert response.json()["what"] == "Too many requests."
    assert response.json()["detail"].endswith(response.json()["action"])


def test_searches_count_and_other_pages_do_not(client):
    for _ in range(LIMIT):
        assert client.get("/sessions/", {"q": "hello"}).status_code == 200
    assert client.get("/sessions/", {"q": "hello"}).status_code == 429
    assert client.get("/sessions/").status_code == client.get("/sessions/?q=").status_code == 200


def test_each_account_is_limited_by_itself(client, make_user, log_in):
    for _ in range(LIMIT + 1):
        submit(client)
    assert submit(log_in(make_user("approved", email="other@example.org"))).status_code == 302


def test_apis_have_limits_of_their_own(client):
    for _ in range(LIMIT + 1):
        assert client.get("/api/v1/sessions/", {"q": "hello"}).status_code == 200


def test_without_a_rate_nothing_is_limited(client, monkeypatch):
    monkeypatch.setattr(FormThrottle, "rate", None)
    monkeypatch.setitem(settings.REST_FRAMEWORK["DEFAULT_THROTTLE_RATES"], "forms", None)
    assert {submit(client).status_code for _ in range(LIMIT + 2)} == {302}
