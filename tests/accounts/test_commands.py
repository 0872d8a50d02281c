from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from accounts.models import User


def run(*command):
    out = StringIO()
    call_command(*command, stdout=out)
    return out.getvalue()


def test_users_are_listed_pending_first(make_user, admin):
    make_user("rejected", email="eve@example.com", decision_reason="spam")
    make_user(email="ada@example.com")
    lines = run("users").splitlines()
    assert lines[0].startswith("ada@example.com\tpending\tuser\t")
    assert any(line.startswith("admin@example.com\tapproved\tadministrator\t") for line in lines)
    assert [line.split("\t")[0] for line in run("users", "--status", "rejected").splitlines()] == ["eve@example.com"]


def test_accounts_are_approved_and_rejected_by_email_address(make_user, admin):
    make_user(email="ada@example.com"), make_user(email="eve@example.com")
    assert run("approve", "ADA@example.com", "admin@example.com") == (
        "ADA@example.com is approved.\nadmin@example.com was already approved.\n"
    )
    assert run("reject", "eve@example.com", "--reason", "spam") == "eve@example.com is rejected.\n"
    eve = User.objects.get(email="eve@example.com")
    assert (eve.status, eve.decision_reason, eve.decided_by) == ("rejected", "spam", None)


@pytest.mark.parametrize("verb", ["approve", "reject"])
def test_an_unknown_address_changes_nothing(make_user, verb):
    make_user(email="ada@example.com")
    with pytest.raises(CommandError, match="no account ad@example"):
        run(verb, "ada@example.com", "ad@example.com")
    assert User.objects.get().status == "pending"


def test_a_reason_that_is_too_long_changes_nothing(make_user):
    make_user(email="ada@example.com")
    with pytest.raises(CommandError, match="500 characters"):
        run("reject", "ada@example.com", "--reason", "x" * 501)
    assert User.objects.get().status == "pending"


def test_the_last_administrator_cannot_be_rejected(admin, make_user):
    make_user("approved")
    with pytest.raises(CommandError, match="last administrator"):
        run("reject", "admin@example.com")
    admin.refresh_from_db()
    assert admin.is_admin
