"""Accounts under `/api/v1/`, and what all of it has in common."""

import json

import pytest
from rest_framework.settings import api_settings

from accounts.credentials.throttling import ApiThrottle
from accounts.models import User
from tests.api.conftest import client_of


def decide(client, user, verb, **data):
    return client.post(f"/api/v1/users/{user.pk}/{verb}/", json.dumps(data), content_type="application/json")


def test_who_i_am_and_what_i_may(client):
    told = client.get("/api/v1/me/").json()
    assert (told["email"], told["status"], told["scopes"]) == (
        "user@example.org",
        "approved",
        ["sessions", "stt", "tts"],
    )


def test_an_administrator_decides(admin, db):
    newcomer = User.objects.create_user("new@example.org")
    client = client_of(admin, "admin")
    assert client.get("/api/v1/users/?status=pending").json()["results"][0]["email"] == "new@example.org"
    assert decide(client, newcomer, "approve").json()["status"] == "approved"
    told = decide(client, newcomer, "reject", reason="Enough.").json()
    assert (told["status"], told["decision_reason"]) == ("rejected", "Enough.")


def test_nobody_decides_over_themselves(admin):
    told = decide(client_of(admin, "admin"), admin, "reject")
    assert told.status_code == 403
    assert "nobody decides over their own account" in told.json()["detail"]


def test_an_administrators_token_decides_only_if_it_was_made_for_that(admin, user):
    assert decide(client_of(admin), user, "reject").json()["code"] == "missing_scope"


def test_others_do_not_decide(user, other):
    told = decide(client_of(user, "admin"), other, "reject")
    assert (told.status_code, told.json()["code"]) == (403, "not_an_administrator")


def test_one_who_was_rejected_is_told_why(user, admin):
    client = client_of(user)
    user.reject(admin, "Enough.")
    told = client.get("/api/v1/me/")
    assert told.status_code == 403
    assert "Enough." in told.json()["detail"]


def test_how_often_one_may_ask_is_told(client, monkeypatch):
    monkeypatch.setattr(ApiThrottle, "THROTTLE_RATES", {**api_settings.DEFAULT_THROTTLE_RATES, "programs": "2/min"})
    first, second, third = (client.get("/api/v1/me/") for _ in range(3))
    assert (first["X-RateLimit-Limit"], first["X-RateLimit-Remaining"]) == ("2", "1")
    assert second["X-RateLimit-Remaining"] == "0"
    assert (third.status_code, third.json()["code"]) == (429, "rate_limited")
    assert 0 < int(third["Retry-After"]) <= 60


@pytest.mark.parametrize("path", ["/api/v1/me/", "/v1/models"])
def test_pages_of_other_sites_may_ask_where_a_setting_says_so(client, settings, path):
    asked = {"Origin": "https://app.example.org", "Access-Control-Request-Method": "GET"}
    assert "Access-Control-Allow-Origin" not in client.options(path, headers=asked)
    settings.CORS_ALLOWED_ORIGINS = ["https://app.example.org"]
    allowed = client.options(path, headers=asked)
    assert allowed["Access-Control-Allow-Origin"] == "https://app.example.org"
    assert "Access-Control-Allow-Credentials" not in allowed
    assert "Access-Control-Allow-Origin" not in client.options("/sessions/", headers=asked)
