"""Rejected tokens: forged, from another service, or expired."""

import base64
import json
import time
from datetime import UTC, datetime

import jwt
import pytest

from accounts.credentials.jwt import tokens
from accounts.credentials.jwt.keys import keys
from accounts.credentials.jwt.tokens import TICKET_AUDIENCE, TICKET_LIFETIME, InvalidToken


@pytest.fixture
def forge(make_user, settings):
    """Signs a token with the site's key and the given changes: `forge(aud="other")`. `header` adds to the header,
    `alg` and `key` change the signature; a claim of None is omitted."""
    site = keys()[0]
    user = make_user("approved")

    def forge(header=None, alg="HS256", key=site.signing_key, **changes):
        now = int(time.time())
        claims = {
            "iss": settings.SITE_URL,
            "aud": TICKET_AUDIENCE,
            "sub": str(user.pk),
            "status": "approved",
            "iat": now,
            "exp": now + 30,
            "jti": "one",
            **changes,
        }
        claims = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(claims, key, alg, headers={"kid": site.id, "typ": "live+jwt", **(header or {})})

    return forge


def assert_rejected(token, why="."):
    with pytest.raises(InvalidToken, match=why) as error:
        tokens.redeem(token, TICKET_AUDIENCE)
    assert error.value.what
    assert error.value.why
    assert error.value.action


def test_an_unchanged_token_is_valid(forge):
    assert tokens.verify(forge(), TICKET_AUDIENCE)


CLAIMS = {
    "another audience": {"aud": "api"},
    "a list of audiences": {"aud": ["live", "api"]},
    "another issuer": {"iss": "https://evil.example"},
    "another status": {"status": "pending"},
    "a subject that is not a primary key": {"sub": "root"},
    "a subject that is not a string": {"sub": 1},
    "an id that is not a string": {"jti": 1},
    "expired": {"exp": int(time.time()) - 6},
    "an expiry that is not a number": {"exp": "never"},
    "an expiry in text": {"exp": str(int(time.time()) + 30)},
    "an expiry of true": {"exp": True},
    "an expiry in a list": {"exp": [int(time.time()) + 30]},
    "an expiry after the last year": {"exp": 1e20},
    "an expiry in the last year": {"exp": 253402300799},
    "an endless expiry": {"exp": float("inf")},
    "an expiry that is not a number (NaN)": {"exp": float("nan")},
    "issued before the first year": {"iat": -1e20},
    "issued after the last year": {"iat": 1e20},
    "issued at a text": {"iat": str(int(time.time()))},
    "a lone surrogate in the subject": {"sub": "\ud800"},
    "a lone surrogate in the subject's address": {"sub": "a\ud800@example.org"},
    "a null character in the subject": {"sub": "a\0@example.org"},
    "a lone surrogate in another claim": {"scope": "\ud800"},
    "a subject of 5,000 digits": {"sub": "9" * 1900},
    "issued in the future": {"iat": int(time.time()) + 24 * 3600},
    "not valid yet": {"nbf": int(time.time()) + 24 * 3600},
    **{f"no {claim}": {claim: None} for claim in tokens.REQUIRED_CLAIMS},
}


@pytest.mark.parametrize("changes", CLAIMS.values(), ids=CLAIMS.keys())
def test_invalid_claims(forge, changes):
    assert_rejected(forge(**changes))


def test_expiry_is_reported(forge):
    assert_rejected(forge(exp=int(time.time()) - 6), "expired")


def test_small_clock_differences_are_tolerated(forge):
    assert tokens.verify(forge(exp=int(time.time()) - 2, iat=int(time.time()) + 2), TICKET_AUDIENCE)


HEADERS = {
    "the usual type": {"typ": "JWT"},
    "the type of another audience": {"typ": "api+jwt"},
    "an unknown key": {"kid": "0123456789abcdef"},
    "a path for a key": {"kid": "../../dev/null"},
    "a critical extension": {"crit": ["b64"], "b64": True},
    "an embedded key": {"jwk": {"kty": "oct", "k": "AA"}},
    "the URL of a key": {"jku": "https://evil.example/keys"},
}


@pytest.mark.parametrize("header", HEADERS.values(), ids=HEADERS.keys())
def test_invalid_headers(forge, header):
    assert_rejected(forge(header))


@pytest.mark.parametrize("missing", ["typ", "kid"])
def test_incomplete_headers(forge, missing):
    assert_rejected(_with_header(forge(), lambda header: header.pop(missing)))


@pytest.mark.parametrize("alg", ["none", "None", "NONE", "nOnE"])
def test_unsigned_tokens(forge, alg):
    token = _with_header(forge(), lambda header: header.update(alg=alg))
    assert_rejected(token)
    assert_rejected(token.rpartition(".")[0] + ".")


@pytest.mark.filterwarnings("ignore:The HMAC key")
@pytest.mark.parametrize("alg", ["HS384", "HS512"])
def test_another_algorithm_with_the_right_key(forge, alg):
    assert_rejected(forge(alg=alg))


@pytest.mark.parametrize("alg", ["RS256", "ES256", "EdDSA", "PS256", 1, None, ["HS256"]])
def test_another_algorithm_in_the_header(forge, alg):
    assert_rejected(_with_header(forge(), lambda header: header.update(alg=alg)))


def test_another_key_with_the_right_id(forge):
    assert_rejected(forge(key=b"0" * 32))


def test_the_secret_key(forge, settings):
    assert_rejected(forge(key=settings.SECRET_KEY.encode()))


def test_a_changed_payload(forge):
    head, _, signature = forge().split(".")
    assert_rejected(f"{head}.{forge(sub='1000').split('.')[1]}.{signature}")


@pytest.mark.parametrize(
    "token",
    ["", ".", "..", "...", "a.b.c", "a.b.c.d", "é.é.é", "\0.\0.\0", "eyJ9.e30.", "null", " "],
)
def test_malformed_tokens(token):
    assert_rejected(token)


def test_an_empty_token():
    assert_rejected("", "No token was sent")


def test_a_token_that_is_too_long(forge, monkeypatch):
    assert_rejected(forge(padding="x" * 2000), "too long")
    monkeypatch.setattr(tokens, "MAX_LENGTH", len(token := forge()))
    assert tokens.verify(token, TICKET_AUDIENCE)


def test_times_from_1970_to_9000():
    assert tokens.time_of({"exp": 0}, "exp") == datetime(1970, 1, 1, tzinfo=UTC)
    for value in (-0.5, tokens.LATEST.timestamp()):
        with pytest.raises(jwt.InvalidTokenError):
            tokens.time_of({"exp": value}, "exp")


def test_an_error_message_can_be_sent_whatever_it_quotes():
    assert tokens.printable("a\ud800b") == "a?b"


def test_a_deeply_nested_header():
    nested = base64.urlsafe_b64encode(b"[" * 700).decode().rstrip("=")
    assert_rejected(f"{nested}.e30.x")


def test_a_token_for_another_audience(forge, make_user):
    token = tokens.issue(make_user("approved"), "api", TICKET_LIFETIME)
    assert_rejected(token)


def _with_header(token, change):
    head, payload, signature = token.split(".")
    header = json.loads(base64.urlsafe_b64decode(head + "=="))
    change(header)
    return ".".join([base64.urlsafe_b64encode(json.dumps(header).encode()).decode().rstrip("="), payload, signature])
