"""Tokens as an attacker, another service, or another time would send them."""

import base64
import json
import time

import jwt
import pytest

from accounts.credentials.jwt import tokens
from accounts.credentials.jwt.keys import keys
from accounts.credentials.jwt.tokens import TICKET_AUDIENCE, TICKET_LIFETIME, InvalidToken


@pytest.fixture
def forge(make_user, settings):
    """A token as the site would make it, with its own key, but for what is given: `forge(aud="other")`.
    `header` adds to the header, `alg` and `key` sign another way; a claim of None is left out."""
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


def assert_refused(token, why="."):
    with pytest.raises(InvalidToken, match=why) as refused:
        tokens.redeem(token, TICKET_AUDIENCE)
    assert refused.value.what
    assert refused.value.why
    assert refused.value.action


def test_what_is_forged_without_a_change_passes(forge):
    assert tokens.verify(forge(), TICKET_AUDIENCE)


CLAIMS = {
    "another audience": {"aud": "api"},
    "a list of audiences": {"aud": ["live", "api"]},
    "another issuer": {"iss": "https://evil.example"},
    "another status": {"status": "pending"},
    "a subject that is no key": {"sub": "root"},
    "a subject that is no text": {"sub": 1},
    "an id that is no text": {"jti": 1},
    "expired": {"exp": int(time.time()) - 6},
    "expiring at no time": {"exp": "never"},
    "issued in the future": {"iat": int(time.time()) + 24 * 3600},
    "not valid yet": {"nbf": int(time.time()) + 24 * 3600},
    **{f"no {claim}": {claim: None} for claim in tokens.REQUIRED},
}


@pytest.mark.parametrize("changes", CLAIMS.values(), ids=CLAIMS.keys())
def test_a_claim_that_is_not_right(forge, changes):
    assert_refused(forge(**changes))


def test_a_token_of_the_past_says_so(forge):
    assert_refused(forge(exp=int(time.time()) - 6), "expired")


def test_clocks_may_differ_a_little(forge):
    assert tokens.verify(forge(exp=int(time.time()) - 2, iat=int(time.time()) + 2), TICKET_AUDIENCE)


HEADERS = {
    "the usual type": {"typ": "JWT"},
    "another kind of ours": {"typ": "api+jwt"},
    "an unknown key": {"kid": "0123456789abcdef"},
    "a path for a key": {"kid": "../../dev/null"},
    "a critical extension": {"crit": ["b64"], "b64": True},
    "a key of its own": {"jwk": {"kty": "oct", "k": "AA"}},
    "the address of a key": {"jku": "https://evil.example/keys"},
}


@pytest.mark.parametrize("header", HEADERS.values(), ids=HEADERS.keys())
def test_a_header_that_is_not_right(forge, header):
    assert_refused(forge(header))


@pytest.mark.parametrize("missing", ["typ", "kid"])
def test_a_header_that_lacks_something(forge, missing):
    assert_refused(_with_header(forge(), lambda header: header.pop(missing)))


@pytest.mark.parametrize("alg", ["none", "None", "NONE", "nOnE"])
def test_no_signature(forge, alg):
    token = _with_header(forge(), lambda header: header.update(alg=alg))
    assert_refused(token)
    assert_refused(token.rpartition(".")[0] + ".")


@pytest.mark.filterwarnings("ignore:The HMAC key")
@pytest.mark.parametrize("alg", ["HS384", "HS512"])
def test_another_algorithm_with_the_right_key(forge, alg):
    assert_refused(forge(alg=alg))


@pytest.mark.parametrize("alg", ["RS256", "ES256", "EdDSA", "PS256", 1, None, ["HS256"]])
def test_an_algorithm_that_is_only_named(forge, alg):
    assert_refused(_with_header(forge(), lambda header: header.update(alg=alg)))


def test_another_key_under_the_right_name(forge):
    assert_refused(forge(key=b"0" * 32))


def test_the_key_of_something_else_of_the_site(forge, settings):
    assert_refused(forge(key=settings.SECRET_KEY.encode()))


def test_a_payload_that_was_changed(forge):
    head, _, signature = forge().split(".")
    assert_refused(f"{head}.{forge(sub='1000').split('.')[1]}.{signature}")


@pytest.mark.parametrize(
    "token",
    ["", ".", "..", "...", "a.b.c", "a.b.c.d", "é.é.é", "\0.\0.\0", "eyJ9.e30.", "null", " "],
)
def test_what_is_no_token(token):
    assert_refused(token)


def test_a_token_that_is_too_long(forge):
    assert_refused(forge(padding="x" * 2000), "too long")


def test_a_header_that_is_nested_deeply():
    nested = base64.urlsafe_b64encode(b"[" * 700).decode().rstrip("=")
    assert_refused(f"{nested}.e30.x")


def test_a_token_for_one_audience_at_another(forge, make_user):
    token = tokens.issue(make_user("approved"), "api", TICKET_LIFETIME)
    assert_refused(token)


def _with_header(token, change):
    head, payload, signature = token.split(".")
    header = json.loads(base64.urlsafe_b64decode(head + "=="))
    change(header)
    return ".".join([base64.urlsafe_b64encode(json.dumps(header).encode()).decode().rstrip("="), payload, signature])
