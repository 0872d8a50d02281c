"""What a program does with the site's tokens, over HTTP."""

from datetime import timedelta

import jwt
import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Token

COMMITS = pytest.mark.django_db(transaction=True)
"""What others are told is told once it is committed, so it has to be."""


@pytest.fixture(autouse=True)
def _remembers(settings):
    settings.REDIS_URL = "redis://what the cache is of makes no difference here"


def bearer(token):
    return Client(headers={"Authorization": f"Bearer {token}"})


def may(token):
    """The status with which the API answers whoever comes with it."""
    return bearer(token).post("/api/tickets/").status_code


def post(client, path, **data):
    return client.post(f"/api/auth/{path}", data, content_type="application/json")


@pytest.fixture
def user(make_user):
    return make_user("approved")


@pytest.fixture
def granted(user, log_in):
    return post(log_in(user), "token").json()


def test_who_is_logged_in_gets_a_short_lived_token_that_opens_the_api(granted, settings):
    assert (granted["token_type"], granted["expires_in"]) == ("Bearer", 60 * settings.ACCESS_TOKEN_MINUTES)
    assert granted["scope"] == "stt tts sessions"
    assert may(granted["access_token"]) == 200


def test_it_has_the_scopes_that_were_asked_for_alone(user, log_in):
    granted = post(log_in(user), "token", scopes=["tts"]).json()
    assert jwt.decode(granted["access_token"], options={"verify_signature": False})["scope"] == "tts"


def test_nobody_gets_one_by_a_forged_form(user):
    client = Client(enforce_csrf_checks=True)
    client.force_login(user)
    assert post(client, "token").status_code == 403


def test_nobody_gets_one_who_is_not_logged_in(db):
    response = post(Client(), "token")
    assert (response.status_code, response["WWW-Authenticate"]) == (401, 'Bearer realm="api"')


def test_a_refresh_token_gets_the_next_two_and_holds_no_more(granted):
    renewed = post(Client(), "refresh", refresh_token=granted["refresh_token"])
    assert renewed["Cache-Control"] == "no-store"
    assert may(renewed.json()["access_token"]) == 200
    assert renewed.json()["refresh_token"] != granted["refresh_token"]


def test_a_refresh_token_that_comes_twice_ends_all_that_was_made_of_it(granted):
    renewed = post(Client(), "refresh", refresh_token=granted["refresh_token"]).json()
    again = post(Client(), "refresh", refresh_token=granted["refresh_token"])
    assert (again.status_code, again.json()["code"]) == (401, "not_authenticated")
    assert may(renewed["access_token"]) == 401
    assert post(Client(), "refresh", refresh_token=renewed["refresh_token"]).status_code == 401


def test_a_refresh_token_opens_nothing_itself(granted):
    assert may(granted["refresh_token"]) == 401


@COMMITS
@pytest.mark.parametrize("which", ["access_token", "refresh_token"])
def test_either_can_be_revoked_and_both_end(granted, which):
    assert may(granted["access_token"]) == 200  # and is remembered
    assert post(Client(), "revoke", token=granted[which]).status_code == 200
    assert may(granted["access_token"]) == 401
    assert post(Client(), "refresh", refresh_token=granted["refresh_token"]).status_code == 401


def test_revoking_tells_nothing_about_a_token(db):
    assert post(Client(), "revoke", token="dsm_anything").status_code == 200


@pytest.mark.parametrize("path", ["token", "refresh", "revoke"])
@pytest.mark.parametrize("body", ["[]", '"x"', "null", "{", "[[[["])
def test_nonsense_is_a_bad_request(path, body, user, log_in):
    assert log_in(user).post(f"/api/auth/{path}", body, content_type="application/json").status_code == 400


# --- API tokens -------------------------------------------------------------------------------------------------------


@COMMITS
def test_an_api_token_opens_the_api_until_it_is_revoked(make_token):
    token, text = make_token()
    assert may(text) == 200
    token.revoke()
    response = bearer(text).post("/api/tickets/")
    assert (response.status_code, response.json()["why"]) == (401, "The token was revoked.")


def test_an_api_token_that_has_expired(make_token):
    token, text = make_token(days=1)
    Token.objects.filter(pk=token.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    assert bearer(text).post("/api/tickets/").json()["why"] == "The token has expired."


def test_an_api_token_that_expires_while_it_is_remembered(make_token, monkeypatch):
    token, text = make_token(days=1)
    assert may(text) == 200
    monkeypatch.setattr(timezone, "now", lambda: token.expires_at)
    assert may(text) == 401


@COMMITS
def test_one_who_is_rejected_is_refused_at_once(make_token, admin):
    token, text = make_token()
    assert may(text) == 200
    token.user.reject(admin, "left the team")
    response = bearer(text).post("/api/tickets/")
    assert (response.status_code, response.json()["code"], response.json()["why"]) == (
        403,
        "not_approved",
        "left the team",
    )


def test_it_is_noted_when_it_was_used(make_token):
    token, text = make_token()
    may(text)
    token.refresh_from_db()
    assert timezone.now() - token.last_used_at < timedelta(seconds=10)


def test_the_text_of_a_token_is_nowhere_kept(make_token):
    token, text = make_token()
    secret = text.removeprefix("dsm_").removeprefix(token.pk.hex)
    assert len(secret) == 43
    assert not any(secret in str(value) for value in Token.objects.filter(pk=token.pk).values()[0].values())


def test_a_token_with_another_secret(make_token):
    _, text = make_token()
    assert may(text[:-1] + ("a" if text[-1] != "a" else "b")) == 401


@COMMITS
def test_an_api_token_makes_short_lived_ones_to_hand_on(make_token):
    token, text = make_token(scopes="stt")
    granted = post(bearer(text), "token").json()
    assert (granted["scope"], "refresh_token" in granted) == ("stt", False)
    assert may(granted["access_token"]) == 200
    assert post(bearer(granted["access_token"]), "token").status_code == 403
    token.revoke()
    assert may(granted["access_token"]) == 401


def test_what_is_handed_on_ends_with_the_token_it_was_made_from(make_token):
    token, text = make_token(days=1)
    Token.objects.filter(pk=token.pk).update(expires_at=timezone.now() + timedelta(seconds=60))
    assert post(bearer(text), "token").json()["expires_in"] <= 60


def test_a_validation_is_remembered(make_token, django_assert_max_num_queries):
    _, text = make_token()
    may(text)
    with django_assert_max_num_queries(0):
        assert may(text) == 200


def test_the_cache_is_needed_by_nobody(make_token, monkeypatch):
    def away(*args, **kwargs):
        raise ConnectionError("no cache")

    _, text = make_token()
    for name in ("get_many", "set"):
        monkeypatch.setattr(f"accounts.credentials.token_cache.cache.{name}", away)
    assert bearer(text).get("/api/sessions/00000000-0000-4000-8000-000000000000/words/0/").status_code == 404


NO_TOKENS = ["", "public_token", "dsm_", "dsm_" + "é" * 75, "x" * 9000, "a.b.c", "dsm_" + "0" * 75]


@pytest.mark.parametrize("token", NO_TOKENS)
def test_what_is_no_token_is_refused_in_words(db, token):
    response = Client(headers={"kyutai-api-key": token}).post("/api/tickets/")
    assert response.status_code == 401
    assert {"code", "what", "why", "action"} == response.json().keys()
