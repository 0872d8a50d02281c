"""Tokens of another issuer's making, and a Better Auth server's sessions."""

import hmac
import json
import threading
import time
from base64 import b64encode
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import quote, unquote

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from jwt.algorithms import OKPAlgorithm

from accounts.credentials.credentials import Credentials, caller_of
from accounts.credentials.jwt import trusted_issuers
from accounts.credentials.principal import AccessDenied, NotAuthenticated

SECRET = "the secret of a Better Auth server, long enough"
ORIGIN = "https://app.example.org"


class Answers(BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked += 1
        body = json.dumps(self.server.answer(self)).encode()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


@pytest.fixture
def issuer():
    """An HTTP server of the issuer's: `.url`, `.answer(request) -> JSON`, `.asked` how often."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    server.asked, server.url = 0, f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, args=[0.01], daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture(autouse=True)
def _no_keys_known(monkeypatch):
    monkeypatch.setattr(trusted_issuers, "_keys", {})
    monkeypatch.setattr(trusted_issuers, "_fetched_at", float("-inf"))


@pytest.fixture
def ada(make_user):
    return make_user("approved", email="ada@example.org")


# --- By public keys ---------------------------------------------------------------------------------------------------


@pytest.fixture
def sign(issuer, settings, ada):
    """`sign(key=None, kid="one", **claims)`: a token of an issuer that this site trusts."""
    settings.TRUSTED_ISSUER, settings.TRUSTED_ISSUER_JWKS_URL = "https://auth.example.org", issuer.url
    own = Ed25519PrivateKey.generate()
    published = {**OKPAlgorithm.to_jwk(own.public_key(), as_dict=True), "kid": "one", "alg": "EdDSA"}
    issuer.answer = lambda request: {"keys": [published]}

    def sign(key=None, kid="one", algorithm="EdDSA", **changes):
        claims = {
            "iss": "https://auth.example.org",
            "aud": settings.SITE_URL,
            "sub": "a7",
            "email": "Ada@Example.org",
            "exp": int(time.time()) + 60,
            **changes,
        }
        return jwt.encode(claims, key or own, algorithm, headers={"kid": kid})

    return sign


def test_an_issuer_that_is_trusted_names_the_account_by_its_address(sign, ada):
    assert caller_of(Credentials(sign())).user == ada


WRONG = {
    "another audience": {"aud": "https://other.example.org"},
    "expired": {"exp": int(time.time()) - 10},
    "an address that is not verified": {"emailVerified": False},
    "an address that is not verified, in OpenID's words": {"email_verified": False},
    "no address": {"email": None},
    "an address that is nobody's": {"email": "eve@example.org"},
    "another key under its name": {"key": Ed25519PrivateKey.generate()},
    "a key that it has not": {"kid": "two"},
    "another algorithm": {"algorithm": "HS256", "key": "x" * 32},
}


@pytest.mark.parametrize("changes", WRONG.values(), ids=WRONG.keys())
def test_a_token_of_the_issuer_that_is_not_right(sign, changes):
    with pytest.raises(NotAuthenticated):
        caller_of(Credentials(sign(**changes)))


def test_an_issuer_that_is_not_trusted(sign, settings):
    settings.TRUSTED_ISSUER = ""
    with pytest.raises(NotAuthenticated):
        caller_of(Credentials(sign()))


def test_an_account_that_is_not_approved_stays_outside(sign, ada, make_user):
    make_user("pending", email="bob@example.org")
    with pytest.raises(AccessDenied) as refused:
        caller_of(Credentials(sign(email="bob@example.org")))
    assert refused.value.code == "not_approved"


def test_nobody_makes_the_site_ask_the_issuer_for_every_token(sign, issuer):
    for number in range(5):
        with pytest.raises(NotAuthenticated):
            caller_of(Credentials(sign(kid=f"made up {number}")))
    assert issuer.asked == 1


def test_an_issuer_that_does_not_answer(sign, settings):
    settings.TRUSTED_ISSUER_JWKS_URL = "http://127.0.0.1:9/"
    with pytest.raises(NotAuthenticated, match="cannot be asked"):
        caller_of(Credentials(sign()))


# --- Better Auth ------------------------------------------------------------------------------------------------------


@pytest.fixture
def _better_auth(settings, issuer):
    settings.CSRF_TRUSTED_ORIGINS = [ORIGIN]
    settings.BETTER_AUTH_SECRET, settings.BETTER_AUTH_URL = SECRET, issuer.url


def cookie(session="s3ss10n", secret=SECRET):
    """As Better Auth sets it."""
    signature = b64encode(hmac.digest(secret.encode(), session.encode(), "sha256")).decode()
    return quote(f"{session}.{signature}", safe="")


def browser(value, origin=ORIGIN):
    headers = {"host": "testserver", "origin": origin, "cookie": f"better-auth.session_token={value}"}
    pairs = [(name.encode(), text.encode()) for name, text in headers.items()]
    return Credentials.of_scope({"headers": pairs, "query_string": b""})


@pytest.mark.usefixtures("_better_auth")
def test_a_session_of_the_better_auth_server_is_asked_for_and_let_in(issuer, ada):
    def answer(request):
        assert request.path.startswith("/api/auth/get-session")
        assert unquote(request.headers["Cookie"].partition("=")[2]) == unquote(cookie())
        return {"session": {"id": "1"}, "user": {"id": "a7", "email": ada.email, "emailVerified": True}}

    issuer.answer = answer
    assert caller_of(browser(cookie())).user == ada


@pytest.mark.usefixtures("_better_auth")
def test_a_session_that_has_ended(issuer, ada):
    issuer.answer = lambda request: None
    with pytest.raises(NotAuthenticated, match="has ended"):
        caller_of(browser(cookie()))


@pytest.mark.usefixtures("_better_auth")
@pytest.mark.parametrize("value", [cookie(secret="another"), "x.y", "x", ".", ""])
def test_a_session_that_the_server_did_not_sign_is_not_even_asked_for(issuer, ada, value):
    with pytest.raises(NotAuthenticated):
        caller_of(browser(value))
    assert issuer.asked == 0


@pytest.mark.usefixtures("_better_auth")
def test_the_cookie_counts_from_pages_of_the_site_alone(issuer, ada):
    with pytest.raises(NotAuthenticated, match="Nothing came"):
        caller_of(browser(cookie(), origin="https://evil.example"))


@pytest.mark.usefixtures("_better_auth")
def test_a_token_that_is_signed_with_the_secret(ada):
    claims = {"user": {"email": ada.email}, "exp": int(time.time()) + 60}
    token = jwt.encode(claims, SECRET)
    assert caller_of(Credentials(token)).user == ada
    assert caller_of(browser(token)).user == ada
    for wrong in (jwt.encode(claims, SECRET, "HS512"), jwt.encode(claims, "x" * 32), jwt.encode(claims, "", "none")):
        with pytest.raises(NotAuthenticated):
            caller_of(Credentials(wrong))


def test_without_the_setting_better_auth_means_nothing(ada, settings):
    settings.CSRF_TRUSTED_ORIGINS = [ORIGIN]
    with pytest.raises(NotAuthenticated, match="Nothing came"):
        caller_of(browser(cookie()))
