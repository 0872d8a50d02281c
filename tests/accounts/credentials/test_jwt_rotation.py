import jwt
import pytest

from accounts.credentials.jwt import tokens
from accounts.credentials.jwt.tokens import TICKET_AUDIENCE, TICKET_LIFETIME, InvalidToken


@pytest.fixture
def old_token(make_user, settings):
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "the old key of the site", []
    return tokens.issue(make_user("approved"), TICKET_AUDIENCE, TICKET_LIFETIME)


def test_a_token_of_the_key_before_still_holds(old_token, settings):
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "the new key of the site", ["the old key of the site"]
    assert tokens.verify(old_token, TICKET_AUDIENCE)


def test_a_token_of_a_retired_key_does_not(old_token, settings):
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "the new key of the site", []
    with pytest.raises(InvalidToken, match="not in use"):
        tokens.verify(old_token, TICKET_AUDIENCE)


def test_the_new_key_signs_under_another_name(old_token, settings, make_user):
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "the new key of the site", ["the old key of the site"]
    new_token = tokens.issue(make_user("approved"), TICKET_AUDIENCE, TICKET_LIFETIME)
    assert jwt.get_unverified_header(new_token)["kid"] != jwt.get_unverified_header(old_token)["kid"]
