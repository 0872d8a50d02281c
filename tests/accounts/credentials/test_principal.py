"""Callers, and the errors of those who are denied."""

from http import HTTPStatus

import pytest

from accounts.credentials.principal import (
    AccessDenied,
    BadQuery,
    Caller,
    NotAuthenticated,
    RateLimited,
    approval_problem,
    approval_reason,
    session_hash,
)
from accounts.models import User
from accounts.models.user import DELETED
from accounts.scopes import ANY_SCOPE, BROWSER_ONLY, SESSIONS, STT


def test_an_error_says_what_happened_why_and_what_to_do():
    error = AccessDenied("a code", "It failed.", "It was wrong.", "Repair it.")
    assert error.to_dict() == {"code": "a code", "what": "It failed.", "why": "It was wrong.", "action": "Repair it."}
    assert (str(error), error.status) == ("It failed. It was wrong.", HTTPStatus.FORBIDDEN)


def test_each_error_has_its_own_status_and_code():
    errors = [NotAuthenticated("It is empty."), BadQuery("No such model.", "There is none."), RateLimited(60, 1.2)]
    assert [(error.status, error.code) for error in errors] == [
        (401, "not_authenticated"),
        (400, "bad_query"),
        (429, "rate_limited"),
    ]
    assert [str(error) for error in errors] == [
        "Authentication failed. It is empty.",
        "No such model. There is none.",
        "Too many requests. The limit is 60 requests per minute per account.",
    ]


@pytest.mark.parametrize(("wait", "seconds"), [(None, 1), (0.2, 1), (1.2, 2)])
def test_a_client_waits_whole_seconds_and_at_least_one(wait, seconds):
    assert RateLimited(60, wait).wait == seconds


def test_a_caller_has_the_scopes_of_its_token():
    caller = Caller(User(), frozenset({STT}))
    caller.require(STT)
    caller.require(ANY_SCOPE)
    for scope, code in ((SESSIONS, "missing_scope"), (BROWSER_ONLY, "browser_only")):
        with pytest.raises(AccessDenied) as denied:
            caller.require(scope)
        assert denied.value.code == code
    with pytest.raises(AccessDenied, match="Its scopes: none"):
        Caller(User(), frozenset()).require(STT)
    with pytest.raises(AccessDenied, match="Its scopes: stt"):
        caller.require(SESSIONS)


def test_no_token_gives_access_to_what_only_browsers_may_do_whatever_its_scopes():
    with pytest.raises(AccessDenied):
        Caller(User(), frozenset({BROWSER_ONLY, STT})).require(BROWSER_ONLY)


def test_the_key_of_a_browsers_session_appears_in_no_log():
    caller = Caller(User(email="a@example.org"), frozenset(), session_key="s3cret")
    assert "s3cret" not in repr(caller)
    assert "s3cret" not in session_hash("s3cret")
    assert session_hash("s3cret") != session_hash("another")


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"status": "pending"}, "It is pending approval."),
        ({"status": "rejected"}, "An administrator rejected it."),
        ({"status": "rejected", "decision_reason": "left the team"}, "left the team"),
        ({"status": "approved", "is_active": False}, "An administrator deactivated it."),
        ({"status": "approved", "is_active": False, "decision_reason": DELETED}, "It is being deleted."),
        ({"status": "approved"}, ""),
    ],
)
def test_why_an_account_is_not_approved(fields, reason):
    assert approval_reason(User(**fields)) == reason
    problem = approval_problem(User(**fields))
    assert (problem["code"], problem["why"]) == ("not_approved", reason)
    assert "/accounts/status/" in problem["action"]
