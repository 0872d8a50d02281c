"""Accounts under `/api/v1/`, and CORS."""

import json

import pytest

from accounts.models import User
from speech.models import ConversationUsage
from tests.api.conftest import client_of


def decide(client, user, verb, **data):
    return client.post(f"/api/v1/users/{user.pk}/{verb}/", json.dumps(data), content_type="application/json")


def test_me_returns_the_account_and_the_tokens_scopes(client):
    me = client.get("/api/v1/me/").json()
    assert (me["email"], me["status"], me["scopes"]) == (
        "user@example.org",
        "approved",
        ["sessions", "stt", "tts"],
    )


def test_accounts_have_the_totals_of_their_conversations(client, user, admin):
    unused = {"conversations": 0, "replies": 0, "prompt_tokens": 0, "completion_tokens": 0, "played_seconds": 0.0}
    assert client.get("/api/v1/me/").json()["usage"] == unused
    ConversationUsage.add(user.pk, conversations=1, replies=2, prompt_tokens=90, completion_tokens=10)
    used = unused | {"conversations": 1, "replies": 2, "prompt_tokens": 90, "completion_tokens": 10}
    assert client.get("/api/v1/me/").json()["usage"] == used
    accounts = client_of(admin, "admin").get("/api/v1/users/").json()["results"]
    assert {account["email"]: account["usage"] for account in accounts} == {user.email: used, admin.email: unused}
    assert client_of(admin, "admin").get(f"/api/v1/users/{user.pk}/").json()["usage"] == used


def test_an_administrator_approves_and_rejects(admin, db):
    newcomer = User.objects.create_user("new@example.org")
    client = client_of(admin, "admin")
    assert client.get("/api/v1/users/?status=pending").json()["results"][0]["email"] == "new@example.org"
    assert decide(client, newcomer, "approve").json()["status"] == "approved"
    rejected = decide(client, newcomer, "reject", reason="Enough.").json()
    assert (rejected["status"], rejected["decision_reason"]) == ("rejected", "Enough.")


def test_administrators_cannot_reject_their_own_account(admin):
    response = decide(client_of(admin, "admin"), admin, "reject")
    assert response.status_code == 403
    assert "you can't approve or reject your own account" in response.json()["detail"]


def test_an_administrators_token_needs_the_admin_scope(admin, user):
    assert decide(client_of(admin), user, "reject").json()["code"] == "missing_scope"


def test_other_users_cannot_reject(user, other):
    response = decide(client_of(user, "admin"), other, "reject")
    assert (response.status_code, response.json()["code"]) == (403, "not_an_administrator")


def test_a_rejected_user_gets_the_reason(user, admin):
    client = client_of(user)
    user.reject(admin, "Enough.")
    response = client.get("/api/v1/me/")
    assert response.status_code == 403
    assert "Enough." in response.json()["detail"]


@pytest.mark.parametrize("path", ["/api/v1/me/", "/v1/models"])
def test_cross_origin_requests_need_the_setting(client, settings, path):
    preflight = {"Origin": "https://app.example.org", "Access-Control-Request-Method": "GET"}
    assert "Access-Control-Allow-Origin" not in client.options(path, headers=preflight)
    settings.CORS_ALLOWED_ORIGINS = ["https://app.example.org"]
    allowed = client.options(path, headers=preflight)
    assert allowed["Access-Control-Allow-Origin"] == "https://app.example.org"
    assert "Access-Control-Allow-Credentials" not in allowed
    assert "Access-Control-Allow-Origin" not in client.options("/sessions/", headers=preflight)
