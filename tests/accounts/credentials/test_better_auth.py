"""Sessions and tokens of a Better Auth server."""

import hmac
import time
from base64 import b64encode
from datetime import timedelta
from urllib.parse import quote, unquote

import jwt
import pytest

from accounts.credentials.credentials import Credentials, caller_of
from accounts.credentials.jwt import tokens, trusted_issuers
from accounts.credentials.principal import NotAuthenticated

SECRET = "the secret of a Better Auth server, long enough"
ORIGIN = "https://app.example.org"


@pytest.fixture
def _better_auth(settings, issuer):
    settings.CSRF_TRUSTED_ORIGINS = [ORIGIN]
    settings.BETTER_AUTH_SECRET, settings.BETTER_AUTH_URL = SECRET, issuer.url


def cookie(session="s3ss10n", secret=SECRET):
    """A session cookie of Better Auth."""
    signature = b64encode(hmac.digest(secret.encode(), session.encode(), "sha256")).decode()
    return quote(f"{session}.{signature}", safe="")


def browser(value, origin=ORIGIN):
    headers = {"host": "testserver", "origin": origin, "cookie": f"better-auth.session_token={value}"}
    pairs = [(name.encode(), text.encode()) for name, text in headers.items()]
    return Credentials.of_scope({"headers": pairs, "query_string": b""})


@pytest.mark.usefixtures("_better_auth")
def test_a_better_auth_session_identifies_the_account(issuer, ada):
    def respond(request):
        assert request.path.startswith("/api/auth/get-session")
        assert unquote(request.headers["Cookie"].partition("=")[2]) == unquote(cookie())
        return {"session": {"id": "1"}, "user": {"id": "a7", "email": ada.email, "emailVerified": True}}

    issuer.respond = respond
    assert browser(cookie()).asks_issuer
    assert caller_of(browser(cookie())).user == ada


@pytest.mark.usefixtures("_better_auth")
def test_an_ended_session_is_rejected(issuer, ada):
    issuer.respond = lambda request: None
    with pytest.raises(NotAuthenticated, match="has ended"):
        caller_of(browser(cookie()))


@pytest.mark.usefixtures("_better_auth")
@pytest.mark.parametrize("value", [cookie(secret="another"), "x.y", "x", ".", "", "x.%C3%A9"])
def test_a_session_with_a_wrong_signature_is_not_looked_up(issuer, ada, value):
    with pytest.raises(NotAuthenticated):
        caller_of(browser(value))
    assert issuer.requests == 0


@pytest.mark.usefixtures("_better_auth")
def test_the_cookie_is_accepted_only_from_the_sites_pages(issuer, ada):
    with pytest.raises(NotAuthenticated, match="No credentials"):
        caller_of(browser(cookie(), origin="https://evil.example"))


@pytest.mark.usefixtures("_better_auth")
def test_a_token_signed_with_the_secret_is_accepted(ada):
    claims = {"user": {"email": ada.email}, "exp": int(time.time()) + 60}
    token = jwt.encode(claims, SECRET)
    assert caller_of(Credentials(token)).user == ada
    assert caller_of(browser(token)).user == ada
    for invalid in (jwt.encode(claims, SECRET, "HS512"), jwt.encode(claims, "x" * 32), jwt.encode(claims, "", "none")):
        with pytest.raises(NotAuthenticated):
            caller_of(Credentials(invalid))


@pytest.mark.usefixtures("_better_auth")
def test_a_token_signed_with_the_secret_must_expire_and_may_have_an_audience(ada):
    claims = {"user": {"email": ada.email}, "aud": "any", "exp": int(time.time()) - 2}  # the clocks may differ
    assert caller_of(Credentials(jwt.encode(claims, SECRET))).user == ada
    with pytest.raises(NotAuthenticated, match="exp"):
        caller_of(Credentials(jwt.encode({"user": {"email": ada.email}}, SECRET)))


@pytest.mark.usefixtures("_better_auth")
def test_the_sites_own_tokens_stay_valid_beside_those_of_better_auth(ada):
    assert caller_of(Credentials(tokens.issue(ada, tokens.API_AUDIENCE, timedelta(minutes=1)))).user == ada


@pytest.mark.usefixtures("_better_auth")
def test_better_auth_and_an_issuer_can_be_used_together(sign, ada):
    claims = {"user": {"email": ada.email}, "exp": int(time.time()) + 60}
    assert caller_of(Credentials(jwt.encode(claims, SECRET))).user == ada
    assert caller_of(Credentials(sign())).user == ada


@pytest.mark.usefixtures("_better_auth")
def test_a_session_cannot_be_looked_up_without_the_servers_url(ada, settings):
    settings.BETTER_AUTH_URL = ""
    with pytest.raises(NotAuthenticated, match="BETTER_AUTH_URL"):
        caller_of(browser(cookie()))


@pytest.mark.usefixtures("_better_auth")
@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://auth.example.org/", "__Secure-better-auth.session_token"),
        ("http://localhost:3000", "better-auth.session_token"),
    ],
)
def test_the_session_is_sent_as_the_server_set_it(ada, settings, monkeypatch, url, name):
    requests = []
    user = {"email": ada.email, "emailVerified": True}
    monkeypatch.setattr(trusted_issuers, "fetch_json", lambda *request: requests.append(request) or {"user": user})
    settings.BETTER_AUTH_URL = url
    value = next(value for value in map(cookie, map(str, range(100))) if "%2F" in value)
    assert caller_of(browser(value)).user == ada
    path = "/api/auth/get-session?disableCookieCache=true"
    assert requests == [(url.rstrip("/") + path, {"Cookie": f"{name}={value}"})]


@pytest.mark.usefixtures("_better_auth")
def test_a_session_with_invalid_characters_is_rejected(issuer, ada):
    issuer.respond = lambda request: {"user": {"email": "a\0@example.org"}}
    with pytest.raises(NotAuthenticated, match="invalid characters"):
        caller_of(browser(cookie()))


def test_better_auth_is_off_by_default(ada, settings):
    settings.CSRF_TRUSTED_ORIGINS = [ORIGIN]
    with pytest.raises(NotAuthenticated, match="No credentials"):
        caller_of(browser(cookie()))
