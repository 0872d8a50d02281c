import pytest

from accounts.models import DecisionError, User
from accounts.models.signals import status_changed


@pytest.fixture
def heard():
    """The users about whom `status_changed` was sent, as (pk, status)."""
    heard = []

    def hear(sender, user, **kwargs):
        heard.append((user.pk, user.status))

    status_changed.connect(hear)
    yield heard
    status_changed.disconnect(hear)


def test_approve_says_who_when_and_why(make_user, admin):
    user = make_user()
    user.approve(admin, "a colleague")
    kept = User.objects.get(pk=user.pk)
    assert (kept.status, kept.decided_by, kept.decision_reason) == ("approved", admin, "a colleague")
    assert kept.decided_at
    assert user.approval_state == kept.approval_state


def test_reject_says_who_when_and_why(make_user, admin):
    user = make_user("approved")
    user.reject(admin, "left the team")
    assert (user.status, user.decided_by, user.decision_reason) == ("rejected", admin, "left the team")


def test_restore_puts_everything_back(make_user, admin):
    user = make_user()
    user.approve(admin, "a colleague")
    before = user.approval_state
    user.reject(admin, "by mistake")
    user.restore(before, admin)
    assert user.approval_state == before


def test_others_hear_of_it_once_it_is_committed(make_user, admin, heard, django_capture_on_commit_callbacks):
    user = make_user()
    with django_capture_on_commit_callbacks(execute=True):
        user.approve(admin)
        assert heard == []
    assert heard == [(user.pk, "approved")]


def test_everybody_hears_before_the_first_email_leaves(
    make_user, admin, heard, monkeypatch, django_capture_on_commit_callbacks
):
    make_user(), make_user()
    when_mailing = []
    monkeypatch.setattr("accounts.mail.send_decision", lambda users: when_mailing.append(len(heard)))
    with django_capture_on_commit_callbacks(execute=True):
        User.objects.pending().reject(admin)
    assert when_mailing == [2]


def test_a_handler_that_fails_stops_neither_the_others_nor_the_email(
    make_user, admin, heard, mailoutbox, django_capture_on_commit_callbacks
):
    def fail(**kwargs):
        raise RuntimeError("the layer is away")

    status_changed.connect(fail)
    with django_capture_on_commit_callbacks(execute=True):
        make_user().approve(admin)
    status_changed.disconnect(fail)
    assert (len(heard), len(mailoutbox)) == (1, 1)


def test_the_same_decision_again_changes_and_tells_nothing(make_user, admin, heard, django_capture_on_commit_callbacks):
    user = make_user()
    user.approve(admin, "first")
    with django_capture_on_commit_callbacks(execute=True):
        user.approve(admin, "second")
    assert (user.decision_reason, heard) == ("first", [])


def test_nobody_decides_over_their_own_account(admin):
    with pytest.raises(DecisionError):
        admin.reject(admin, "I quit")
    assert User.objects.get().is_admin


def test_of_two_admins_who_reject_each_other_one_remains(admin):
    other = User.objects.create_superuser("other@example.com")
    admin.reject(other, "first")
    with pytest.raises(DecisionError):
        other.reject(admin, "second")
    assert list(User.objects.admins()) == [other]


@pytest.mark.parametrize("status", ["pending", "rejected"])
def test_an_admin_who_is_not_approved_decides_nothing(make_user, status):
    with pytest.raises(DecisionError):
        make_user().approve(make_user(status, is_staff=True))


def test_a_plain_user_decides_nothing(make_user):
    with pytest.raises(DecisionError):
        make_user().approve(make_user("approved"))


def test_the_command_line_may_decide(make_user):
    user = make_user()
    user.approve(None)
    assert (user.is_approved, user.decided_by) == (True, None)
