"""Access tokens that the site verifies: those of its own stored tokens, and those that third parties sign."""

import time
from datetime import UTC, datetime, timedelta

import jwt
import pytest

from accounts.credentials import access_tokens, denied_tokens
from accounts.credentials.credentials import Credentials, caller_of
from accounts.credentials.jwt.keys import keys
from accounts.credentials.jwt.tokens import LEEWAY, InvalidToken
from accounts.credentials.principal import Caller, NotAuthenticated
from accounts.models import Token, User
from accounts.models.signals import access_token_denied
from accounts.scopes import STT, TTS, scopes_of

BOTH = frozenset({STT, TTS})


@pytest.fixture
def user(make_user):
    return make_user("approved")


@pytest.fixture
def sign(user, settings):
    """`sign(**claims)`: an access token that a third party signed with the site's secret."""

    def sign(**changes):
        now, key = int(time.time()), keys()[0]
        claims = {"iss": settings.SITE_URL, "aud": "api", "sub": user.email, "status": "approved", "scope": "stt"}
        claims |= {"iat": now, "exp": now + 60, "jti": "one", **changes}
        return jwt.encode(claims, key.signing_key, headers={"kid": key.id, "typ": "api+jwt"})

    return sign


def test_a_token_of_a_third_party_is_valid_until_it_expires_and_can_be_revoked(user, sign):
    expires = int(time.time()) + 40
    caller = caller_of(Credentials(sign(exp=expires)))
    assert (caller.user, caller.scopes) == (user, {STT})
    assert caller.expires == datetime.fromtimestamp(expires, UTC)
    assert caller.jwt_ids == ("one",)
    denied_tokens.deny(caller)
    with pytest.raises(NotAuthenticated, match="was revoked"):
        caller_of(Credentials(sign()))


INVALID = {
    "an unknown scope": ({"scope": "everything"}, "Unknown scope"),
    "a parent token that is no id": ({"sid": "x"}, "id of its parent token is invalid"),
    "a parent token that does not exist": ({"sid": "0" * 32}, "no longer exists"),
}


@pytest.mark.parametrize(("changes", "why"), INVALID.values(), ids=INVALID.keys())
def test_claims_that_the_site_would_not_issue(sign, changes, why):
    with pytest.raises(NotAuthenticated, match=why):
        caller_of(Credentials(sign(**changes)))


def test_a_token_cannot_name_the_parent_token_of_another_account(user, sign, make_token):
    others, _ = make_token()
    with pytest.raises(NotAuthenticated, match="no longer exists"):
        caller_of(Credentials(sign(sub=str(user.pk), sid=str(others.pk))))


def test_a_token_has_its_own_parent_among_many(make_token):
    first, _ = make_token()
    make_token(first.user)
    access = access_tokens.grant(Token.objects.get(pk=first.pk), BOTH).access_token
    make_token(first.user)
    assert caller_of(Credentials(access)).token == str(first.pk)


def test_a_token_has_no_scope_that_its_parent_lost(make_token):
    token, _ = make_token(scopes="stt tts")
    access = access_tokens.grant(token, BOTH).access_token
    Token.objects.update(scopes="stt")
    assert caller_of(Credentials(access)).scopes == {STT}


def test_a_login_of_an_app_lasts_as_long_as_the_settings_say(user, settings):
    settings.REFRESH_TOKEN_DAYS = 20
    access_tokens.log_in(user, BOTH, "an app")
    days = (Token.objects.get().expires_at - Token.objects.get().created_at) / timedelta(days=1)
    assert round(days, 2) == 20


def test_a_client_secret_has_no_scope_that_its_caller_lacks(make_token):
    _, text = make_token(scopes="stt")
    secret, _ = access_tokens.issue_secret(caller_of(Credentials(text)), BOTH, timedelta(minutes=1))
    assert caller_of(Credentials(secret)).scopes == {STT}
    assert jwt.decode(secret, options={"verify_signature": False})["scope"] == "stt"


def test_a_client_secret_names_the_token_that_requested_it_not_that_ones_parent(user):
    caller = Caller(user, BOTH, jwt_ids=("its own", "its parent's"))
    secret, _ = access_tokens.issue_secret(caller, BOTH, timedelta(minutes=1))
    assert jwt.decode(secret, options={"verify_signature": False})["via"] == "its own"
    assert caller_of(Credentials(secret)).jwt_ids[1:] == ("its own",)


def test_a_wrong_secret_revokes_nothing(make_token):
    _, text = make_token()
    access_tokens.revoke(text[:36] + "a" * 43)
    assert caller_of(Credentials(text))


def test_a_revoked_token_of_an_account_that_is_not_approved_is_invalid(make_token):
    """The holder of a revoked token learns nothing about the account."""
    token, text = make_token()
    User.objects.update(status="pending")
    Token.objects.filter(pk=token.pk).update(revoked_at=token.created_at)
    with pytest.raises(InvalidToken, match="was revoked"):
        access_tokens.bearer_of_api_token(text)


# --- Revoked before they expire -------------------------------------------------------------------------------------


def caller_with(user, seconds, ids=("its own", "its parent's")):
    return Caller(user, scopes_of("stt"), expires=datetime.now(UTC) + timedelta(seconds=seconds), jwt_ids=ids)


def test_a_revoked_token_revokes_itself_not_the_one_that_requested_it(user):
    announced = []
    access_token_denied.connect(listener := lambda jwt_id, **kwargs: announced.append(jwt_id))
    denied_tokens.deny(caller_with(user, 60))
    access_token_denied.disconnect(listener)
    assert denied_tokens.denied(["its own", "its parent's"]) == {"its own"}
    assert announced == ["its own"]


def test_a_revocation_is_remembered_until_the_token_is_invalid_everywhere(user, monkeypatch):
    remembered = []
    monkeypatch.setattr(denied_tokens.cache, "set", lambda key, value, timeout: remembered.append(timeout))
    denied_tokens.deny(caller_with(user, 60))
    assert LEEWAY.total_seconds() + 59 < remembered[0] <= LEEWAY.total_seconds() + 60


def test_a_cache_that_is_unavailable_denies_no_token(user, sign, monkeypatch, caplog):
    def fail(keys):
        raise ConnectionError("no cache")

    monkeypatch.setattr(denied_tokens.cache, "get_many", fail)
    assert denied_tokens.denied([]) == set()
    assert not caplog.records  # most callers have no ids and need no cache
    assert denied_tokens.denied(["one"]) == set()
    assert caller_of(Credentials(sign())).user == user
