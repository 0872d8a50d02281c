import pytest

from accounts.models import DecisionEntry, User


def log():
    return list(DecisionEntry.objects.values_list("email", "status", "by_email", "reason", "is_undo"))


def test_each_decision_is_kept_the_newest_first(make_user, admin):
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


def test_what_changed_nothing_is_no_decision(make_user, admin):
    make_user("approved").approve(admin)
    assert log() == []


def test_it_outlives_the_accounts(make_user, admin):
    user = make_user(email="ada@example.com")
    user.approve(admin)
    user.close_account()
    User.objects.get().delete()
    assert log() == [("ada@example.com", "approved", "admin@example.com", "", False)]


def test_administrators_read_and_search_it(admin_client, make_user, admin):
    make_user(email="ada@example.com").approve(admin, "a colleague")
    make_user(email="eve@example.com").reject(None, "spam")
    page = admin_client.get("/accounts/approvals/decisions/").content.decode()
    assert "a colleague" in page
    assert "The command line" in page
    found = admin_client.get("/accounts/approvals/decisions/", {"q": "eve"}).content.decode()
    assert "ada@example.com" not in found
    assert "spam" in found


def test_an_empty_one_says_what_will_stand_there(admin_client):
    assert "Nothing was decided yet" in admin_client.get("/accounts/approvals/decisions/").content.decode()


@pytest.mark.parametrize("verb", ["approve", "reject"])
def test_a_decision_that_is_refused_is_none(make_user, admin, verb):
    with pytest.raises(Exception, match="nobody decides over their own account"):
        getattr(admin, verb)(admin)
    assert log() == []
