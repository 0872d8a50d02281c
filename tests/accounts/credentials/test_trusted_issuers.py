"""Tokens of an external issuer with public keys."""

import json
import time
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from jwt.algorithms import RSAAlgorithm

from accounts import email_addresses
from accounts.credentials.credentials import Credentials, caller_of
from accounts.credentials.jwt import issuer_request, trusted_issuers
from accounts.credentials.principal import AccessDenied, NotAuthenticated
from tests.support.servers.issuer import IssuerHandler


def test_a_trusted_issuer_identifies_the_account_by_email(sign, ada):
    expires = int(time.time()) + 40
    caller = caller_of(Credentials(sign(exp=expires)))
    assert caller.user == ada
    assert caller.expires == datetime.fromtimestamp(expires, UTC)


def test_small_clock_differences_are_tolerated(sign, ada):
    assert caller_of(Credentials(sign(exp=int(time.time()) - 2))).user == ada


def test_a_token_needs_no_time_of_issue(sign, ada, admin):
    ada.reject(admin)
    ada.approve(admin)
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
    "no expiry": {"exp": ...},
    "no audience": {"aud": ...},
    "no issuer": {"iss": ...},
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


@pytest.mark.parametrize("user", ["ada@example.org", None, {"email": None}, {"email": 1}], ids=str)
def test_a_token_without_an_address_is_explained(sign, user):
    with pytest.raises(NotAuthenticated, match="no “email” claim"):
        caller_of(Credentials(sign(user=user)))


def test_a_published_key_of_another_algorithm_verifies_nothing(sign, issuer, ada):
    key = generate_private_key(65537, 2048)
    published = {**RSAAlgorithm.to_jwk(key.public_key(), as_dict=True), "kid": "rsa", "alg": "RS256"}
    issuer.respond = lambda request: {"keys": [published]}
    with pytest.raises(NotAuthenticated, match="Verification failed"):
        caller_of(Credentials(sign(key, "rsa", "RS256")))


def test_which_tokens_are_those_of_the_issuer(sign, settings):
    assert trusted_issuers.is_from_trusted_issuer(sign())
    assert not trusted_issuers.is_from_trusted_issuer(sign(iss="https://other.example.org"))
    assert not trusted_issuers.is_from_trusted_issuer("no token")
    settings.TRUSTED_ISSUER = ""
    assert not trusted_issuers.is_from_trusted_issuer(sign(iss=""))


def test_the_keys_are_fetched_again_after_five_minutes(sign, issuer, monkeypatch):
    def verify_after(seconds, **changes):
        monkeypatch.setattr(trusted_issuers, "_fetched_at", time.monotonic() - seconds)
        with suppress(NotAuthenticated):
            caller_of(Credentials(sign(**changes)))
        return issuer.requests

    assert verify_after(0, kid="unknown") == 0
    assert verify_after(31, kid="unknown") == 1
    assert verify_after(290) == 1
    assert verify_after(290, kid="unknown") == 2
    assert verify_after(301) == 3


def test_an_untrusted_issuer_is_rejected(sign, settings):
    settings.TRUSTED_ISSUER = ""
    with pytest.raises(NotAuthenticated):
        caller_of(Credentials(sign()))


def test_an_account_that_is_not_approved_is_denied(sign, ada, make_user):
    make_user("pending", email="bob@example.org")
    for claims in ({}, {"iat": 0}):
        with pytest.raises(AccessDenied) as error:
            caller_of(Credentials(sign(email="bob@example.org", **claims)))
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


def test_only_tokens_of_the_issuer_may_wait_for_it(sign, make_token, monkeypatch):
    assert Credentials(sign()).asks_issuer
    monkeypatch.setattr("accounts.credentials.credentials.MAX_LENGTH", len(token := sign()))
    assert Credentials(token).asks_issuer
    _, text = make_token()
    assert not Credentials(text).asks_issuer
    assert not Credentials("x" * 9000).asks_issuer
    assert not Credentials().asks_issuer
