import pytest

from accounts.models import User

PAGE = "/accounts/approvals/"


@pytest.fixture
def decide(admin_client):
    """Decide on the page, and return what the toast offers to undo."""

    def decide(decision, *users, reason=""):
        form = {"decision": decision, "users": [user.pk for user in users], "reason": reason}
        return admin_client.post(PAGE, form, follow=True).context["undo"]["at"]

    return decide


@pytest.fixture
def undo(admin_client):
    return lambda at: admin_client.post(f"{PAGE}undo/", {"decision": at}, follow=True).content.decode()


def standing(user):
    return User.objects.get(pk=user.pk).approval_state


def test_a_decision_can_be_undone(decide, undo, make_user):
    user = make_user()
    assert "Undone." in undo(decide("approve", user))
    assert standing(user) == user.approval_state


def test_undoing_puts_the_earlier_decision_back(decide, undo, make_user, admin):
    user = make_user()
    user.reject(admin, "the first reason")
    undo(decide("approve", user))
    assert standing(user) == user.approval_state


def test_many_are_undone_together(decide, undo, make_user):
    users = [make_user("pending"), make_user("rejected", decision_reason="spam")]
    assert "Undone for 2 accounts." in undo(decide("approve", *users))
    assert [standing(user) for user in users] == [user.approval_state for user in users]


def test_only_those_whose_status_changed_are_undone(decide, undo, make_user):
    approved, pending = make_user("approved"), make_user()
    undo(decide("approve", approved, pending))
    assert (standing(approved).status, standing(pending).status) == ("approved", "pending")


def test_what_was_decided_anew_since_stays(decide, undo, make_user):
    user = make_user()
    at = decide("approve", user)
    user.reject(User.objects.create_superuser("other@example.com"), "no")
    assert "Nothing was undone" in undo(at)
    assert standing(user).status == "rejected"


def test_an_old_toast_undoes_nothing_newer(decide, undo, make_user):
    first, second = make_user(), make_user()
    old = decide("approve", first)
    decide("approve", second)
    assert "Nothing was undone" in undo(old)
    assert (standing(first).status, standing(second).status) == ("approved", "approved")


def test_undo_works_once(decide, undo, make_user):
    at = decide("approve", make_user())
    undo(at)
    assert "Nothing was undone" in undo(at)


@pytest.mark.parametrize("at", ["", "x", "2020-01-01T00:00:00+00:00"])
def test_undo_of_nothing(undo, at):
    assert "Nothing was undone" in undo(at)


def test_the_toast_is_shown_once(decide, admin_client, make_user):
    decide("approve", make_user())
    assert admin_client.get(PAGE).context["undo"] is None


def test_one_admin_does_not_undo_what_another_did(decide, make_user, log_in):
    user = make_user()
    at = decide("approve", user)
    log_in(User.objects.create_superuser("other@example.com")).post(f"{PAGE}undo/", {"decision": at})
    assert standing(user).status == "approved"


def test_an_admin_who_was_rejected_meanwhile_undoes_nothing(decide, admin_client, admin, make_user):
    user = make_user()
    at = decide("approve", user)
    admin.reject(User.objects.create_superuser("other@example.com"), "out")
    admin_client.post(f"{PAGE}undo/", {"decision": at})
    assert standing(user).status == "approved"
