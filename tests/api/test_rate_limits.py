"""Rate limits of `/api/v1/`: an account's programs share one, its browsers another."""

import json

import pytest
from django.test import Client

from accounts.credentials.throttling import AccountThrottle, BrowserThrottle
from tests.api.conftest import client_of

UPLOADS = "/api/v1/uploads/"
PAGE_PART = 2 * 1024 * 1024
"""Bytes that the upload page sends at a time."""


@pytest.fixture
def set_rates(monkeypatch):
    def set_rates(**rates):
        monkeypatch.setattr(AccountThrottle, "THROTTLE_RATES", {**AccountThrottle.THROTTLE_RATES, **rates})

    return set_rates


@pytest.fixture
def browser(user):
    browser = Client()
    browser.force_login(user)
    return browser


def test_responses_carry_the_rate_limit(client, set_rates):
    set_rates(programs="2/min")
    first, second, third = (client.get("/api/v1/me/") for _ in range(3))
    assert (first["X-RateLimit-Limit"], first["X-RateLimit-Remaining"]) == ("2", "1")
    assert second["X-RateLimit-Remaining"] == "0"
    assert (third.status_code, third.json()["code"]) == (429, "rate_limited")
    assert 0 < int(third["Retry-After"]) <= 60


def test_a_browser_and_programs_of_an_account_do_not_use_up_each_others_limit(user, browser, set_rates):
    set_rates(programs="1/min", browsers="2/min")
    program, second_program = client_of(user), client_of(user)
    assert [browser.get("/api/v1/me/").status_code for _ in range(3)] == [200, 200, 429]
    assert [each.get("/api/v1/me/").status_code for each in (program, second_program)] == [200, 429]


def test_the_upload_page_can_send_the_largest_file_within_a_minute(settings):
    assert BrowserThrottle().num_requests > 2 * settings.UPLOAD_MAX_MB * 1_000_000 / PAGE_PART


def test_the_limit_of_programs_does_not_stop_an_upload_of_the_page(browser, set_rates, settings, tmp_path):
    settings.DATA_DIR = tmp_path
    set_rates(programs="3/min")
    body = json.dumps({"name": "talk.mp3", "size": 20})
    upload = browser.post(UPLOADS, body, content_type="application/json").json()
    content = f"{UPLOADS}{upload['id']}/content/"
    for offset in range(20):
        part = browser.put(f"{content}?offset={offset}", b"x", content_type="application/octet-stream")
        assert (part.status_code, part.json()["received"]) == (200, offset + 1)
