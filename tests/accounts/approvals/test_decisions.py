import pytest

from accounts.models import DecisionError, User
from accounts.models.signals import status_changed


@pytest.fixture
def notified():
    """The users for whom `status_changed` was sent, as (pk, status)."""
    notified = []

    def receive(sender, user, **kwargs):
        notified.append((user.pk, user.status))

    status_changed.connect(receive)
    yield notified
    status_changed.disconnect(receive)


def test_approve_records_who_when_and_why(make_user, admin):
    user = make_user()
    user.approve(admin, "a colleague")
    stored = User.objects.get(pk=user.pk)
    assert (stored.status, stored.decided_by, stored.decision_reason) == ("approved", admin, "a colleague")
    assert stored.decided_at
    assert user.approval_state == stored.approval_state


def test_reject_records_who_when_and_why(make_user, admin):
    user = make_user("approved")
    user.reject(admin, "left the team")
    assert (user.status, user.decided_by, user.decision_reason) == ("rejected", admin, "left the team")


def test_restore_restores_all_fields(make_user, admin):
    user = make_user()
    user.approve(admin, "a colleague")
    before = user.approval_state
    user.reject(admin, "by mistake")
    user.restore(before, admin)
    assert user.approval_state == before


def test_the_signal_is_sent_after_the_commit(make_user, admin, notified, django_capture_on_commit_callbacks):
    user = make_user()
    with django_capture_on_commit_callbacks(execute=True):
        user.approve(admin)
        assert notified == []
    assert notified == [(user.pk, "approved")]


def test_all_signals_are_sent_before_the_first_email(
    make_user, admin, notified, monkeypatch, django_capture_on_commit_callbacks
):
    make_user(), make_user()
    signals_before_mail = []
    monkeypatch.setattr("accounts.mail.send_decision", lambda users: signals_before_mail.append(len(notified)))
    with django_capture_on_commit_callbacks(execute=True):
        User.objects.pending().reject(admin)
    assert signals_before_mail == [2]


def test_a_failing_receiver_stops_neither_other_receivers_nor_the_email(
    make_user, admin, notified, mailoutbox, django_capture_on_commit_callbacks
):
    def fail(**kwargs):
        raise RuntimeError("channel layer unavailable")

    status_changed.connect(fail)
    with django_capture_on_commit_callbacks(execute=True):
        make_user().approve(admin)
    status_changed.disconnect(fail)
    assert (len(notified), len(mailoutbox)) == (1, 1)


def test_repeating_a_decision_changes_and_sends_nothing(make_user, admin, notified, django_capture_on_commit_callbacks):
    user = make_user()
    user.approve(admin, "first")
    with django_capture_on_commit_callbacks(execute=True):
        user.approve(admin, "second")
    assert (user.decision_reason, notified) == ("first", [])


def test_users_cannot_decide_about_their_own_account(admin):
    with pytest.raises(DecisionError):
        admin.reject(admin, "I quit")
    assert User.objects.get().is_admin


def test_one_of_two_admins_who_reject_each_other_remains(admin):
    other = User.objects.create_superuser("other@example.com")
    admin.reject(other, "first")
    with pytest.raises(DecisionError):
        other.reject(admin, "second")
    assert list(User.objects.admins()) == [other]


@pytest.mark.parametrize("status", ["pending", "rejected"])
def test_an_admin_who_is_not_approved_cannot_decide(make_user, status):
    with pytest.raises(DecisionError):
        make_user().approve(make_user(status, is_staff=True))


def test_a_user_who_is_not_an_admin_cannot_decide(make_user):
    with pytest.raises(DecisionError):
        make_user().approve(make_user("approved"))


def test_management_commands_can_decide(make_user):
    user = make_user()
    user.approve(None)
    assert (user.is_approved, user.decided_by) == (True, None)
