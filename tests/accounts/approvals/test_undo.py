import pytest

from accounts.models import User

PAGE = "/accounts/approvals/"


@pytest.fixture
def decide(admin_client):
    """Submit a decision on the page. Returns the id with which the toast offers to undo it."""

    def decide(decision, *users, reason=""):
        form = {"decision": decision, "users": [user.pk for user in users], "reason": reason}
        return admin_client.post(PAGE, form, follow=True).context["undo"]["at"]

    return decide


@pytest.fixture
def undo(admin_client):
    return lambda at: admin_client.post(f"{PAGE}undo/", {"decision": at}, follow=True).content.decode()


def approval_state(user):
    return User.objects.get(pk=user.pk).approval_state


def test_a_decision_can_be_undone(decide, undo, make_user):
    user = make_user()
    assert "Undone." in undo(decide("approve", user))
    assert approval_state(user) == user.approval_state


def test_undo_keeps_the_filters(admin_client, make_user):
    form = {"users": [make_user().pk], "decision": "approve"}
    page = admin_client.post(f"{PAGE}?q=a%26b&status=pending", form, follow=True).content.decode()
    assert f'action="{PAGE}undo/?q=a%26b&amp;status=pending"' in page


def test_undo_restores_the_previous_decision(decide, undo, make_user, admin):
    user = make_user()
    user.reject(admin, "the first reason")
    undo(decide("approve", user))
    assert approval_state(user) == user.approval_state


def test_several_accounts_are_undone_together(decide, undo, make_user):
    users = [make_user("pending"), make_user("rejected", decision_reason="spam")]
    assert "Undone for 2 accounts." in undo(decide("approve", *users))
    assert [approval_state(user) for user in users] == [user.approval_state for user in users]


def test_only_accounts_that_changed_are_undone(decide, undo, make_user):
    approved, pending = make_user("approved"), make_user()
    undo(decide("approve", approved, pending))
    assert (approval_state(approved).status, approval_state(pending).status) == ("approved", "pending")


def test_a_newer_decision_is_kept(decide, undo, make_user):
    user = make_user()
    at = decide("approve", user)
    user.reject(User.objects.create_superuser("other@example.com"), "no")
    assert "undo: there is a newer decision" in undo(at)
    assert approval_state(user).status == "rejected"


def test_an_old_toast_does_not_undo_a_newer_decision(decide, undo, make_user):
    first, second = make_user(), make_user()
    old = decide("approve", first)
    decide("approve", second)
    assert "undo: there is a newer decision" in undo(old)
    assert (approval_state(first).status, approval_state(second).status) == ("approved", "approved")


def test_undo_works_once(decide, undo, make_user):
    at = decide("approve", make_user())
    undo(at)
    assert "undo: there is a newer decision" in undo(at)


@pytest.mark.parametrize("at", ["", "x", "2020-01-01T00:00:00+00:00"])
def test_undoing_an_unknown_decision_is_an_error(undo, at):
    assert "undo: there is a newer decision" in undo(at)


def test_the_toast_is_shown_once(decide, admin_client, make_user):
    decide("approve", make_user())
    assert admin_client.get(PAGE).context["undo"] is None


def test_admins_cannot_undo_the_decisions_of_others(decide, make_user, log_in):
    user = make_user()
    at = decide("approve", user)
    log_in(User.objects.create_superuser("other@example.com")).post(f"{PAGE}undo/", {"decision": at})
    assert approval_state(user).status == "approved"


def test_a_rejected_admin_cannot_undo(decide, admin_client, admin, make_user):
    user = make_user()
    at = decide("approve", user)
    admin.reject(User.objects.create_superuser("other@example.com"), "out")
    admin_client.post(f"{PAGE}undo/", {"decision": at})
    assert approval_state(user).status == "approved"
