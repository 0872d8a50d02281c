"""Why what a caller opened ends, in one check for all of them."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.credentials import access_tokens, denied_tokens
from accounts.credentials.credentials import Credentials, caller_of
from accounts.credentials.principal import Caller
from accounts.credentials.validity import check_all
from accounts.models import Token, User
from accounts.scopes import STT

SCOPES = frozenset({STT})


@pytest.fixture
def user(make_user):
    return make_user("approved")


@pytest.fixture
def caller(user):
    token, _ = Token.create(user, Token.Kind.API, "a program", SCOPES, timedelta(days=1))
    return Caller(User.objects.get(pk=user.pk), SCOPES, str(token.pk))


def what_ended(caller):
    (ended,) = check_all([caller])
    if ended is None:
        return None
    assert ended.why
    assert ended.action
    return ended.what


def test_a_valid_caller_has_not_ended(caller):
    assert what_ended(caller) is None


ACCOUNT = {
    "Your account was rejected.": {"status": "rejected"},
    "Your account was deactivated.": {"is_active": False},
    "Your account is not approved.": {"status": "pending"},
}


@pytest.mark.parametrize(("what", "changes"), ACCOUNT.items())
@pytest.mark.parametrize("is_job", [False, True])
def test_the_status_of_the_account(user, caller, what, changes, is_job):
    User.objects.filter(pk=user.pk).update(**changes)
    assert what_ended(Caller(user, SCOPES, is_job=is_job)) == what
    assert what_ended(caller) == what


def test_the_reason_of_a_rejection(user, caller, admin):
    user.reject(admin, "left the team")
    assert check_all([caller])[0].why == "left the team"


def test_a_deactivation_does_not_report_the_reason_of_an_approval(user, caller, admin, make_user):
    pending = make_user()
    pending.approve(admin, "a colleague")
    User.objects.filter(pk=pending.pk).update(is_active=False)
    assert check_all([Caller(pending, SCOPES)])[0].why == "An administrator deactivated it."


def test_a_deleted_account(user, caller, make_user):
    user.close_account()
    assert what_ended(caller) == "Your account was deleted."


def test_an_account_that_is_being_deleted(user, caller, monkeypatch):
    monkeypatch.setattr(User, "delete", lambda self: None)
    user.close_account()
    assert what_ended(caller) == "Your account was deleted."


TOKEN = {
    "revoked": ({"revoked_at": timezone.now()}, "The token was revoked."),
    "expired": ({"expires_at": timezone.now()}, "The token has expired."),
    "of an earlier epoch": ({"epoch": 7}, "Your password was changed."),
}


@pytest.mark.parametrize(("changes", "what"), TOKEN.values(), ids=TOKEN.keys())
def test_the_stored_token(caller, changes, what):
    Token.objects.update(**changes)
    assert what_ended(caller) == what


def test_a_deleted_token(caller):
    Token.objects.all().delete()
    assert what_ended(caller) == "The token was revoked."


def test_a_new_password_ends_a_caller_without_a_token(user):
    caller = Caller(User.objects.get(pk=user.pk), SCOPES)
    user.set_password("another horse battery")
    user.save()
    assert what_ended(caller) == "Your password was changed."


def test_a_job_of_the_account_outlives_a_new_password(user):
    job = Caller(User.objects.get(pk=user.pk), SCOPES, is_job=True)
    user.set_password("another horse battery")
    user.save()
    assert what_ended(job) is None


def test_a_token_that_was_kept_outlives_a_new_password(user, caller):
    user.set_password("another horse battery")
    user.save()
    Token.objects.update(epoch=user.credentials_epoch)
    assert what_ended(caller) is None


def test_an_expired_access_token(user):
    assert what_ended(Caller(user, SCOPES, expires=timezone.now())) == "The token has expired."


def test_a_revoked_access_token(user):
    grant = access_tokens.log_in(user, SCOPES, "App")
    caller = caller_of(Credentials(grant.access_token))
    assert what_ended(caller) is None
    denied_tokens.deny(caller)
    assert what_ended(caller) == "The token was revoked."


def test_a_logout(user, log_in):
    browser = log_in(user)
    caller = Caller(user, SCOPES, session_key=browser.session.session_key)
    assert what_ended(caller) is None
    browser.post("/accounts/logout/")
    assert what_ended(caller) == "You logged out."


def test_a_login_that_expired(user, log_in):
    browser = log_in(user)
    caller = Caller(user, SCOPES, session_key=browser.session.session_key)
    session = browser.session
    session.set_expiry(timezone.now() - timedelta(seconds=1))
    session.save()
    assert what_ended(caller) == "You logged out."


def test_many_callers_need_three_queries(user, caller, log_in, make_user, django_assert_num_queries):
    logged_in = Caller(user, SCOPES, session_key=log_in(user).session.session_key)
    others = [Caller(make_user("approved"), SCOPES) for _ in range(5)]
    with django_assert_num_queries(3):
        assert check_all([caller, logged_in, *others]) == [None] * 7


def test_a_background_job_needs_one_query(user, django_assert_num_queries):
    with django_assert_num_queries(1):
        check_all([Caller(user, SCOPES, is_job=True)])
