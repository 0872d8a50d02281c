import string

import jwt
import pytest
from django.core.exceptions import PermissionDenied

from accounts.credentials.jwt import tokens
from accounts.credentials.jwt.tokens import TICKET_AUDIENCE, TICKET_LIFETIME, InvalidToken


@pytest.fixture
def user(make_user):
    return make_user("approved")


def test_a_token_has_the_required_claims(user, settings):
    token = tokens.issue(user, TICKET_AUDIENCE, TICKET_LIFETIME)
    claims = jwt.decode(token, options={"verify_signature": False})
    assert (claims["iss"], claims["aud"], claims["sub"]) == (settings.SITE_URL, "live", str(user.pk))
    assert (claims["status"], claims["exp"] - claims["iat"]) == ("approved", 30)


def test_the_header_names_algorithm_key_and_type(user):
    header = jwt.get_unverified_header(tokens.issue(user, TICKET_AUDIENCE, TICKET_LIFETIME))
    assert (header["alg"], header["typ"]) == ("HS256", "live+jwt")
    assert header["kid"]


def test_the_signing_key_is_not_the_secret_key(user, settings):
    token = tokens.issue(user, TICKET_AUDIENCE, TICKET_LIFETIME)
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(token, settings.SECRET_KEY, algorithms=["HS256"], audience="live")


def test_a_token_is_verified(user):
    claims = tokens.verify(tokens.issue(user, TICKET_AUDIENCE, TICKET_LIFETIME), TICKET_AUDIENCE)
    assert (claims.subject, claims.status) == (user.pk, "approved")


def test_tokens_are_unique(user):
    issued = {tokens.issue(user, TICKET_AUDIENCE, TICKET_LIFETIME) for _ in range(100)}
    assert len(issued) == 100


@pytest.mark.parametrize("fields", [{"status": "pending"}, {"status": "rejected"}, {"is_active": False}])
def test_only_approved_users_get_a_token(make_user, fields):
    with pytest.raises(PermissionDenied):
        tokens.issue(make_user(**{"status": "approved", **fields}), TICKET_AUDIENCE, TICKET_LIFETIME)


def test_a_token_can_be_redeemed_once(user):
    token = tokens.issue(user, TICKET_AUDIENCE, TICKET_LIFETIME)
    assert tokens.redeem(token, TICKET_AUDIENCE).subject == user.pk
    with pytest.raises(InvalidToken, match="already used"):
        tokens.redeem(token, TICKET_AUDIENCE)


def test_another_encoding_of_a_redeemed_token_is_rejected(user):
    token = tokens.issue(user, TICKET_AUDIENCE, TICKET_LIFETIME)
    tokens.redeem(token, TICKET_AUDIENCE)
    letters = string.ascii_uppercase + string.ascii_lowercase + string.digits + "-_"
    last = letters[letters.index(token[-1]) ^ 1]  # its lowest two bits are beyond the signature's 256 bits
    with pytest.raises(InvalidToken):
        tokens.redeem(token[:-1] + last, TICKET_AUDIENCE)


def test_verifying_does_not_redeem(user):
    token = tokens.issue(user, TICKET_AUDIENCE, TICKET_LIFETIME)
    tokens.verify(token, TICKET_AUDIENCE)
    assert tokens.redeem(token, TICKET_AUDIENCE)
