import jwt
import pytest

from accounts.credentials.jwt import tokens
from accounts.credentials.jwt.tokens import TICKET_AUDIENCE, TICKET_LIFETIME, InvalidToken


@pytest.fixture
def old_token(make_user, settings):
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "the old key of the site", []
    return tokens.issue(make_user("approved"), TICKET_AUDIENCE, TICKET_LIFETIME)


def test_a_token_of_the_previous_key_is_valid(old_token, settings):
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "the new key of the site", ["the old key of the site"]
    assert tokens.verify(old_token, TICKET_AUDIENCE)


def test_a_token_of_a_retired_key_is_rejected(old_token, settings):
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "the new key of the site", []
    with pytest.raises(InvalidToken, match="unknown key"):
        tokens.verify(old_token, TICKET_AUDIENCE)


def test_the_new_key_has_another_id(old_token, settings, make_user):
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "the new key of the site", ["the old key of the site"]
    new_token = tokens.issue(make_user("approved"), TICKET_AUDIENCE, TICKET_LIFETIME)
    assert jwt.get_unverified_header(new_token)["kid"] != jwt.get_unverified_header(old_token)["kid"]
