"""API, access and refresh tokens over HTTP."""

from datetime import timedelta

import jwt
import pytest
from django.test import Client
from django.utils import timezone

from accounts.credentials import token_cache
from accounts.models import Token
from accounts.models.token import PRUNED_AFTER, TooManyTokens

COMMITS = pytest.mark.django_db(transaction=True)
"""Signals are sent after the commit, so these tests need real commits."""


@pytest.fixture(autouse=True)
def _enable_cache(settings):
    settings.REDIS_URL = "redis://enables the token cache; the tests use another backend"


def bearer(token):
    return Client(headers={"Authorization": f"Bearer {token}"})


def status_of(token):
    """The HTTP status of an API request with the token."""
    return bearer(token).get("/api/v1/me/").status_code


def post(client, path, **data):
    return client.post(f"/api/auth/{path}", data, content_type="application/json")


@pytest.fixture
def user(make_user):
    return make_user("approved")


@pytest.fixture
def grant(user, log_in):
    return post(log_in(user), "token").json()


def test_a_logged_in_user_gets_a_short_lived_access_token(grant, settings):
    assert (grant["token_type"], grant["expires_in"]) == ("Bearer", 60 * settings.ACCESS_TOKEN_MINUTES)
    assert grant["scope"] == "stt tts sessions"
    assert status_of(grant["access_token"]) == 200


def test_the_token_has_only_the_requested_scopes(user, log_in):
    grant = post(log_in(user), "token", scopes=["tts"]).json()
    assert jwt.decode(grant["access_token"], options={"verify_signature": False})["scope"] == "tts"


def test_a_token_request_requires_a_csrf_token(user):
    client = Client(enforce_csrf_checks=True)
    client.force_login(user)
    assert post(client, "token").status_code == 403


def test_a_token_request_requires_a_login(db):
    response = post(Client(), "token")
    assert (response.status_code, response["WWW-Authenticate"]) == (401, 'Bearer realm="api"')


def test_a_refresh_token_is_replaced(grant):
    renewed = post(Client(), "refresh", refresh_token=grant["refresh_token"])
    assert renewed["Cache-Control"] == "no-store"
    assert status_of(renewed.json()["access_token"]) == 200
    assert renewed.json()["refresh_token"] != grant["refresh_token"]


def test_reusing_a_refresh_token_revokes_everything_issued_from_it(grant):
    renewed = post(Client(), "refresh", refresh_token=grant["refresh_token"]).json()
    reused = post(Client(), "refresh", refresh_token=grant["refresh_token"])
    assert (reused.status_code, reused.json()["code"]) == (401, "not_authenticated")
    assert status_of(renewed["access_token"]) == 401
    assert post(Client(), "refresh", refresh_token=renewed["refresh_token"]).status_code == 401


def test_a_refresh_token_gives_no_access(grant):
    assert status_of(grant["refresh_token"]) == 401


@COMMITS
def test_revoking_a_refresh_token_revokes_its_access_token(grant):
    assert status_of(grant["access_token"]) == 200  # and is cached
    assert post(Client(), "revoke", token=grant["refresh_token"]).status_code == 200
    assert status_of(grant["access_token"]) == 401
    assert post(Client(), "refresh", refresh_token=grant["refresh_token"]).status_code == 401


def test_an_access_token_revokes_only_itself(make_token):
    _, parent = make_token()
    access, other = (post(bearer(parent), "token").json()["access_token"] for _ in range(2))
    assert status_of(access) == 200  # and is cached
    assert post(Client(), "revoke", token=access).status_code == 200
    assert [status_of(token) for token in (access, other, parent)] == [401, 200, 200]


def forged(text, secret="a" * 43, code=None):
    """A token with the id of `text` and another secret."""
    return text[:36] + secret + (text[79:] if code is None else code)


@pytest.mark.parametrize("code", [None, "", "0" * 32, "é" * 32])
def test_a_forged_refresh_token_with_a_known_id_revokes_nothing(grant, code):
    assert post(Client(), "refresh", refresh_token=forged(grant["refresh_token"], code=code)).status_code == 401
    assert status_of(grant["access_token"]) == 200
    assert post(Client(), "refresh", refresh_token=grant["refresh_token"]).status_code == 200


def test_reuse_is_detected_after_a_rotation_of_the_secret_key(grant, settings):
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "n" * 50, [settings.SECRET_KEY]
    renewed = post(Client(), "refresh", refresh_token=grant["refresh_token"]).json()
    assert post(Client(), "refresh", refresh_token=grant["refresh_token"]).status_code == 401
    assert post(Client(), "refresh", refresh_token=renewed["refresh_token"]).status_code == 401


def test_revoking_an_unknown_token_succeeds(db):
    assert post(Client(), "revoke", token="dsm_anything").status_code == 200


@pytest.mark.parametrize("path", ["token", "refresh", "revoke"])
@pytest.mark.parametrize("body", ["[]", '"x"', "null", "{", "[[[["])
def test_malformed_bodies_are_bad_requests(path, body, user, log_in):
    assert log_in(user).post(f"/api/auth/{path}", body, content_type="application/json").status_code == 400


@COMMITS
def test_an_api_token_works_until_it_is_revoked(make_token):
    token, text = make_token()
    assert status_of(text) == 200
    token.revoke()
    response = bearer(text).get("/v1/models")
    assert response.status_code == 401
    assert "The token was revoked." in response.json()["error"]["message"]


def test_an_expired_api_token_is_rejected(make_token):
    token, text = make_token(days=1)
    Token.objects.filter(pk=token.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    assert "The token has expired." in bearer(text).get("/v1/models").json()["error"]["message"]


def test_an_api_token_that_expires_while_cached_is_rejected(make_token, monkeypatch):
    token, text = make_token(days=1)
    assert status_of(text) == 200
    monkeypatch.setattr(timezone, "now", lambda: token.expires_at)
    assert status_of(text) == 401


@COMMITS
def test_rejecting_the_user_takes_effect_immediately(make_token, admin):
    token, text = make_token()
    assert status_of(text) == 200
    token.user.reject(admin, "left the team")
    response = bearer(text).post("/api/auth/token")
    assert (response.status_code, response.json()["code"], response.json()["why"]) == (
        403,
        "not_approved",
        "left the team",
    )


def test_the_last_use_is_recorded(make_token):
    token, text = make_token()
    status_of(text)
    token.refresh_from_db()
    assert timezone.now() - token.last_used_at < timedelta(seconds=10)


def test_each_account_has_its_own_limit_of_tokens(make_token, make_user, monkeypatch):
    monkeypatch.setattr("accounts.models.token.MAX_TOKENS_PER_USER", 1)
    token, _ = make_token()
    make_token(make_user("approved"))
    with pytest.raises(TooManyTokens):
        make_token(token.user)


def test_an_accounts_new_token_deletes_only_its_own_old_ones(make_token, make_user):
    old, _ = make_token()
    long_ago = timezone.now() - PRUNED_AFTER - timedelta(days=1)
    Token.objects.update(revoked_at=long_ago)
    make_token(make_user("approved"))
    assert Token.objects.filter(pk=old.pk).exists()
    make_token(old.user)
    assert not Token.objects.filter(pk=old.pk).exists()


def test_the_secret_of_a_token_is_not_stored(make_token):
    token, text = make_token()
    secret = text.removeprefix("dsm_").removeprefix(token.pk.hex)
    assert len(secret) == 43
    assert not any(secret in str(value) for value in Token.objects.filter(pk=token.pk).values()[0].values())


def test_a_token_with_a_wrong_secret_is_rejected(make_token):
    _, text = make_token()
    assert status_of(text[:-1] + ("a" if text[-1] != "a" else "b")) == 401


@COMMITS
def test_an_api_token_can_issue_access_tokens(make_token):
    token, text = make_token(scopes="stt")
    grant = post(bearer(text), "token").json()
    assert (grant["scope"], "refresh_token" in grant) == ("stt", False)
    assert status_of(grant["access_token"]) == 200
    assert post(bearer(grant["access_token"]), "token").status_code == 403
    token.revoke()
    assert status_of(grant["access_token"]) == 401


def test_an_access_token_expires_with_its_parent(make_token):
    token, text = make_token(days=1)
    Token.objects.filter(pk=token.pk).update(expires_at=timezone.now() + timedelta(seconds=60))
    assert post(bearer(text), "token").json()["expires_in"] <= 60


def test_a_validation_is_cached(make_token, django_assert_max_num_queries):
    _, text = make_token()
    status_of(text)
    with django_assert_max_num_queries(0):
        assert bearer(text).get("/api/v1/nothing/").status_code == 404


def test_requests_succeed_without_the_cache(make_token, monkeypatch):
    def fail(*args, **kwargs):
        raise ConnectionError("no cache")

    _, text = make_token()
    for name in ("get_many", "set"):
        monkeypatch.setattr(f"accounts.credentials.token_cache.cache.{name}", fail)
    token_cache.invalidate_all()  # a decision takes effect without the cache too
    assert bearer(text).get("/api/v1/sessions/00000000-0000-4000-8000-000000000000/words/").status_code == 404


INVALID_TOKENS = ["", "public_token", "dsm_", "dsm_" + "é" * 75, "x" * 9000, "a.b.c", "dsm_" + "0" * 75]


@pytest.mark.parametrize("token", INVALID_TOKENS)
def test_invalid_tokens_are_rejected_with_an_explanation(db, token):
    response = Client(headers={"kyutai-api-key": token}).post("/api/tickets/")
    assert response.status_code == 401
    assert {"code", "what", "why", "action"} == response.json().keys()
