"""Tokens of external issuers, and sessions of a Better Auth server."""

import hmac
import json
import threading
import time
from base64 import b64encode
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import quote, unquote

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from jwt.algorithms import OKPAlgorithm

from accounts import email_addresses
from accounts.credentials.credentials import Credentials, caller_of
from accounts.credentials.jwt import issuer_request, trusted_issuers
from accounts.credentials.principal import AccessDenied, NotAuthenticated

SECRET = "the secret of a Better Auth server, long enough"
ORIGIN = "https://app.example.org"


class IssuerHandler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.requests += 1
        body = json.dumps(self.server.respond(self)).encode()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


@pytest.fixture
def issuer():
    """The issuer's HTTP server: `.url`, `.respond(request) -> JSON`, and `.requests`, their number."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), IssuerHandler)
    server.requests, server.url = 0, f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, args=[0.01], daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture(autouse=True)
def _empty_key_cache(monkeypatch):
    monkeypatch.setattr(trusted_issuers, "_keys", {})
    monkeypatch.setattr(trusted_issuers, "_fetched_at", float("-inf"))


@pytest.fixture
def ada(make_user):
    return make_user("approved", email="ada@example.org")


@pytest.fixture
def sign(issuer, settings, ada):
    """`sign(key=None, kid="one", **claims)` returns a token of an issuer that this site trusts."""
    settings.TRUSTED_ISSUER, settings.TRUSTED_ISSUER_JWKS_URL = "https://auth.example.org", issuer.url
    issuer_key = Ed25519PrivateKey.generate()
    published = {**OKPAlgorithm.to_jwk(issuer_key.public_key(), as_dict=True), "kid": "one", "alg": "EdDSA"}
    issuer.respond = lambda request: {"keys": [published]}

    def sign(key=None, kid="one", algorithm="EdDSA", **changes):
        claims = {
            "iss": "https://auth.example.org",
            "aud": settings.SITE_URL,
            "sub": "a7",
            "email": "Ada@Example.org",
            "exp": int(time.time()) + 60,
            **changes,
        }
        return jwt.encode(claims, key or issuer_key, algorithm, headers={"kid": kid})

    return sign


def test_a_trusted_issuer_identifies_the_account_by_email(sign, ada):
    assert caller_of(Credentials(sign())).user == ada


INVALID = {
    "another audience": {"aud": "https://other.example.org"},
    "expired": {"exp": int(time.time()) - 10},
    "an address that is not verified": {"emailVerified": False},
    "an address that is not verified (OpenID's claim)": {"email_verified": False},
    "two claims that contradict each other": {"email_verified": True, "emailVerified": False},
    "two claims that contradict each other, reversed": {"email_verified": False, "emailVerified": True},
    "a text instead of true": {"email_verified": "true"},
    "no address": {"email": None},
    "a lone surrogate in the address": {"email": "\ud800@example.org"},
    "a null character in the address": {"email": "a\0@example.org"},
    "an expiry in text": {"exp": str(int(time.time()) + 60)},
    "an expiry after the last year": {"exp": 1e20},
    "an endless expiry": {"exp": float("inf")},
    "an unknown address": {"email": "eve@example.org"},
    "another key with the same id": {"key": Ed25519PrivateKey.generate()},
    "an unknown key": {"kid": "two"},
    "another algorithm": {"algorithm": "HS256", "key": "x" * 32},
}


@pytest.mark.parametrize("changes", INVALID.values(), ids=INVALID.keys())
def test_invalid_tokens_of_the_issuer_are_rejected(sign, changes):
    with pytest.raises(NotAuthenticated):
        caller_of(Credentials(sign(**changes)))


def test_an_untrusted_issuer_is_rejected(sign, settings):
    settings.TRUSTED_ISSUER = ""
    with pytest.raises(NotAuthenticated):
        caller_of(Credentials(sign()))


def test_an_account_that_is_not_approved_is_denied(sign, ada, make_user):
    make_user("pending", email="bob@example.org")
    with pytest.raises(AccessDenied) as error:
        caller_of(Credentials(sign(email="bob@example.org")))
    assert error.value.code == "not_approved"


def test_an_unconfirmed_address_identifies_no_account_where_addresses_are_confirmed(sign, ada, settings):
    """A user could otherwise sign up with Ada's address and read what her tokens save."""
    settings.ACCOUNT_EMAIL_VERIFICATION = "optional"
    with pytest.raises(NotAuthenticated, match="confirmed its email address"):
        caller_of(Credentials(sign()))
    email_addresses.confirm_address(ada)
    assert caller_of(Credentials(sign())).user == ada


def test_a_token_from_before_a_rejection_stays_invalid_after_an_approval(sign, ada, admin):
    now = int(time.time())
    assert caller_of(Credentials(sign(iat=now - 30))).user == ada
    ada.reject(admin)
    ada.approve(admin)
    with pytest.raises(NotAuthenticated, match="before the account's last approval"):
        caller_of(Credentials(sign(iat=now - 30)))
    assert caller_of(Credentials(sign(iat=int(time.time())))).user == ada


def test_unknown_keys_do_not_cause_a_request_each(sign, issuer):
    for number in range(5):
        with pytest.raises(NotAuthenticated):
            caller_of(Credentials(sign(kid=f"unknown {number}")))
    assert issuer.requests == 1


def test_an_unreachable_issuer_is_an_error(sign, settings):
    settings.TRUSTED_ISSUER_JWKS_URL = "http://127.0.0.1:9/"
    with pytest.raises(NotAuthenticated, match="Couldn't reach"):
        caller_of(Credentials(sign()))


def drip(header=b"", body=b"", seconds=3.0):
    """Responds correctly, but only after sending a part of it again and again for so long."""

    def respond(handler):
        with suppress(OSError):  # the client has closed the connection
            handler.wfile.write(b"HTTP/1.0 200 OK\r\n")
            send_slowly(handler, header)
            handler.wfile.write(b"\r\n")
            send_slowly(handler, body)
            handler.wfile.write(json.dumps(handler.server.respond(handler)).encode())

    def send_slowly(handler, part):
        end = time.monotonic() + seconds
        while part and time.monotonic() < end:
            handler.wfile.write(part)
            time.sleep(0.05)

    return respond


@pytest.mark.parametrize("slow", [{"body": b" "}, {"header": b"x: y\r\n"}], ids=["body", "header"])
def test_an_issuer_that_sends_slowly_is_given_up(sign, monkeypatch, slow):
    token = sign()
    monkeypatch.setattr(IssuerHandler, "do_GET", drip(**slow))
    monkeypatch.setattr(issuer_request, "TIMEOUT", 0.2)
    with pytest.raises(NotAuthenticated, match="Couldn't reach"):
        caller_of(Credentials(token))


def test_only_tokens_of_the_issuer_may_wait_for_it(sign, make_token):
    assert Credentials(sign()).asks_issuer
    _, text = make_token()
    assert not Credentials(text).asks_issuer
    assert not Credentials("x" * 9000).asks_issuer
    assert not Credentials().asks_issuer


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


def test_better_auth_is_off_by_default(ada, settings):
    settings.CSRF_TRUSTED_ORIGINS = [ORIGIN]
    with pytest.raises(NotAuthenticated, match="No credentials"):
        caller_of(browser(cookie()))
