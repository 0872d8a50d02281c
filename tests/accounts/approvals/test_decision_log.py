import pytest

from accounts.models import DecisionEntry, User


def log():
    return list(DecisionEntry.objects.values_list("email", "status", "by_email", "reason", "is_undo"))


def test_each_decision_is_logged_newest_first(make_user, admin):
    user = make_user(email="ada@example.com")
    before = user.approval_state
    user.approve(admin, "a colleague")
    user.reject(None, "left")
    user.restore(before, admin)
    assert log() == [
        ("ada@example.com", "pending", "admin@example.com", "", True),
        ("ada@example.com", "rejected", "", "left", False),
        ("ada@example.com", "approved", "admin@example.com", "a colleague", False),
    ]


def test_a_decision_without_changes_is_not_logged(make_user, admin):
    make_user("approved").approve(admin)
    assert log() == []


def test_entries_remain_after_accounts_are_deleted(make_user, admin):
    user = make_user(email="ada@example.com")
    user.approve(admin)
    user.close_account()
    User.objects.get().delete()
    assert log() == [("ada@example.com", "approved", "admin@example.com", "", False)]


def test_administrators_can_search_the_log(admin_client, make_user, admin):
    make_user(email="ada@example.com").approve(admin, "a colleague")
    make_user(email="eve@example.com").reject(None, "spam")
    page = admin_client.get("/accounts/approvals/log/").content.decode()
    assert "a colleague" in page
    assert "Command line" in page
    results = admin_client.get("/accounts/approvals/log/", {"q": "eve"}).content.decode()
    assert "ada@example.com" not in results
    assert "spam" in results


def test_an_empty_log_shows_a_message(admin_client):
    assert "No decisions yet" in admin_client.get("/accounts/approvals/log/").content.decode()


@pytest.mark.parametrize("verb", ["approve", "reject"])
def test_a_decision_that_is_not_allowed_is_not_logged(make_user, admin, verb):
    with pytest.raises(Exception, match="approve or reject your own account"):
        getattr(admin, verb)(admin)
    assert log() == []
