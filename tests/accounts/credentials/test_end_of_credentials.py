"""What ends the logins and tokens of an account: a new password, a rejection, a deactivation."""

import re
import time
from dataclasses import replace
from datetime import timedelta

import jwt
import pytest
from django.contrib.auth.hashers import make_password
from django.contrib.auth.tokens import default_token_generator
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from accounts.credentials import access_tokens
from accounts.credentials.credentials import Credentials, caller_of
from accounts.credentials.jwt.keys import keys
from accounts.credentials.principal import AccessDenied, NotAuthenticated
from accounts.credentials.validity import check_all
from accounts.models import Token, User
from accounts.scopes import STT, scopes_of
from tests.accounts.conftest import PASSWORD

NEW = "another horse battery"


@pytest.fixture
def user(make_user):
    return make_user("approved")


@pytest.fixture
def token(user):
    """The text of an API token of the user."""
    return Token.create(user, Token.Kind.API, "a program", scopes_of("stt tts"), None)[1]


def is_valid(token):
    try:
        return bool(caller_of(Credentials(token)))
    except AccessDenied:
        return False


def change_password(client, **fields):
    form = {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW, **fields}
    assert client.post("/accounts/password/change/", form).status_code == 302


def on_the_page(user, log_in_with_password, **_):
    change_password(log_in_with_password(user))


def with_a_link(user, **_):
    from allauth.account.forms import EmailAwarePasswordResetTokenGenerator
    from allauth.account.utils import user_pk_to_url_str

    key = EmailAwarePasswordResetTokenGenerator().make_token(user)
    page = Client().get(f"/accounts/password/reset/key/{user_pk_to_url_str(user)}-{key}/")
    client = page.wsgi_request.session  # the key moves into the session, out of the address
    browser = Client()
    browser.cookies["sessionid"] = client.session_key
    assert browser.post(page.url, {"password1": NEW, "password2": NEW}).status_code == 302


def in_the_admin(user, admin_client, **_):
    form = {"password1": NEW, "password2": NEW}
    assert admin_client.post(f"/admin/accounts/user/{user.pk}/password/", form).status_code == 302


def removed_in_the_admin(user, admin_client, **_):
    form = {"usable_password": "false", "password1": "", "password2": "", "unset-password": "1"}
    assert admin_client.post(f"/admin/accounts/user/{user.pk}/password/", form).status_code == 302


def with_the_command(user, monkeypatch, **_):
    monkeypatch.setattr("getpass.getpass", lambda prompt: NEW)
    call_command("changepassword", user.email)


WAYS = [on_the_page, with_a_link, in_the_admin, removed_in_the_admin, with_the_command]


@pytest.mark.parametrize("change", WAYS, ids=lambda way: way.__name__)
def test_a_new_password_ends_logins_and_tokens(
    change, user, token, log_in, log_in_with_password, admin_client, monkeypatch
):
    browser = log_in(user)
    grant = access_tokens.log_in(user, frozenset({STT}), "App")
    change(user, log_in_with_password=log_in_with_password, admin_client=admin_client, monkeypatch=monkeypatch)
    assert not is_valid(token)
    assert not is_valid(grant.access_token)
    with pytest.raises(access_tokens.InvalidToken):
        access_tokens.refresh(grant.refresh_token)
    assert browser.get("/accounts/").status_code == 302


def test_the_browser_in_which_the_password_was_changed_stays_logged_in(user, log_in_with_password):
    browser = log_in_with_password(user)
    change_password(browser)
    assert browser.get("/accounts/").status_code == 200


def test_a_user_can_keep_the_tokens(user, token, log_in_with_password):
    grant = access_tokens.log_in(user, frozenset({STT}), "App")
    change_password(log_in_with_password(user), keeps_tokens="on")
    assert is_valid(token)
    assert is_valid(grant.access_token)
    assert access_tokens.refresh(grant.refresh_token)


def test_tokens_that_ended_before_are_not_kept(user, token, admin, log_in_with_password):
    user.reject(admin)
    user.approve(admin)
    change_password(log_in_with_password(user), keeps_tokens="on")
    assert not is_valid(token)


def test_the_form_offers_to_keep_the_tokens(user, log_in_with_password):
    page = log_in_with_password(user).get("/accounts/password/change/").content.decode()
    (box,) = re.findall(r"<input[^>]*keeps_tokens[^>]*>", page)
    assert "checked" not in box


def test_a_login_that_stores_a_newer_hash_ends_nothing(user, token, settings):
    settings.PASSWORD_HASHERS = [
        "django.contrib.auth.hashers.PBKDF2PasswordHasher",
        "django.contrib.auth.hashers.MD5PasswordHasher",
    ]
    User.objects.filter(pk=user.pk).update(password=make_password(PASSWORD, hasher="md5"))
    assert User.objects.get().check_password(PASSWORD)
    assert User.objects.get().password.startswith("pbkdf2")
    assert is_valid(token)


def test_tokens_from_before_a_rejection_stay_invalid_after_an_approval(user, token, admin):
    grant = access_tokens.log_in(user, frozenset({STT}), "App")
    user.reject(admin)
    user.approve(admin)
    assert not is_valid(token)
    assert not is_valid(grant.access_token)
    with pytest.raises(access_tokens.InvalidToken, match="a new password or a rejection"):
        access_tokens.refresh(grant.refresh_token)


def test_undoing_a_rejection_restores_the_tokens(user, token, admin):
    before = user.approval_state
    user.reject(admin, "by mistake")
    user.restore(before, admin)
    assert is_valid(token)


def test_undoing_a_rejection_restores_no_token_if_the_password_is_new(user, token, admin):
    before = user.approval_state
    user.reject(admin)
    user.set_password(NEW)
    user.save()
    user.restore(before, admin)
    assert user.is_approved
    assert not is_valid(token)


def test_a_login_during_a_rejection_ends_with_the_next_one(user, admin, log_in):
    before = user.approval_state
    user.reject(admin)
    browser = log_in(user)
    user.restore(before, admin)
    user.reject(admin)
    assert browser.get("/accounts/").status_code == 302


@pytest.mark.parametrize("fields", [None, ["is_active"]])
def test_tokens_from_before_a_deactivation_stay_invalid(user, token, fields):
    user.is_active = False
    user.save(update_fields=fields)
    user.is_active = True
    user.save(update_fields=fields)
    assert not is_valid(token)


def test_a_request_that_began_before_a_decision_cannot_reverse_it(user, admin):
    stale = User.objects.get(pk=user.pk)
    user.reject(admin, "left")
    stale.name = "Ada"
    stale.save()
    stored = User.objects.get(pk=user.pk)
    assert (stored.name, stored.status, stored.credentials_epoch) == ("Ada", "rejected", user.credentials_epoch)


def test_a_token_that_is_created_while_its_login_ends_is_invalid(user):
    stale = User.objects.get(pk=user.pk)
    user.set_password(NEW)
    user.save()
    assert not is_valid(Token.create(stale, Token.Kind.API, "late", frozenset({STT}), None)[1])


def test_ended_tokens_are_not_listed(user, token, log_in_with_password):
    browser = log_in_with_password(user)
    assert "a program" in browser.get("/accounts/tokens/").content.decode()
    change_password(browser)
    assert "a program" not in browser.get("/accounts/tokens/").content.decode()


@pytest.fixture
def sign(user, settings):
    """`sign(seconds)`: a token that a third party signed so many seconds from now."""

    def sign(seconds):
        claims = {"iss": settings.SITE_URL, "aud": "api", "sub": user.email, "status": "approved", "scope": "stt"}
        now = int(time.time())
        claims |= {"iat": now + seconds, "exp": now + 60, "jti": "one"}
        return jwt.encode(claims, keys()[0].signing_key, headers={"kid": keys()[0].id, "typ": "api+jwt"})

    return sign


def test_a_token_of_a_third_party_ends_with_a_rejection(user, sign, admin):
    assert is_valid(sign(-30))
    user.reject(admin)
    user.approve(admin)
    assert not is_valid(sign(-30))
    assert is_valid(sign(0))


def test_a_token_of_a_third_party_is_valid_again_after_an_undo(user, sign, admin):
    before = user.approval_state
    user.reject(admin)
    user.restore(before, admin)
    assert is_valid(sign(-30))


def test_a_client_secret_ends_with_the_token_that_requested_it(user, token):
    grant = access_tokens.grant(Token.objects.get(), frozenset({STT}))
    caller = caller_of(Credentials(grant.access_token))
    secret, expires = access_tokens.issue_secret(caller, frozenset({STT}), timedelta(hours=2))
    assert expires == caller.expires
    assert is_valid(secret)
    access_tokens.revoke(grant.access_token)
    assert not is_valid(secret)
    assert is_valid(token)


def test_the_expiry_of_a_client_secret_ends_no_connection_but_that_of_its_api_token_does(user, token):
    caller = caller_of(Credentials(token))
    secret, _ = access_tokens.issue_secret(caller, frozenset({STT}), timedelta(minutes=10))
    an_hour_ago = timezone.now() - timedelta(hours=1)
    opened = replace(caller_of(Credentials(secret)), expires=an_hour_ago)
    assert check_all([opened]) == [None]
    Token.objects.update(expires_at=an_hour_ago)
    assert str(check_all([opened])[0]).startswith("The token has expired.")


def test_an_ended_token_of_an_approved_account_is_explained(user, token, admin):
    user.reject(admin)
    user.approve(admin)
    with pytest.raises(NotAuthenticated, match="ended with a new password or a rejection"):
        caller_of(Credentials(token))


def test_a_reset_link_works_once(user):
    key = default_token_generator.make_token(user)
    user.set_password(NEW)
    user.save()
    assert not default_token_generator.check_token(user, key)
