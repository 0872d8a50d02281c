import pytest
from django.core import mail

from accounts.models import User


@pytest.fixture
def decide(django_capture_on_commit_callbacks):
    """Decide and commit: `decide(user.approve, admin, "why")`. Returns the emails that it caused."""

    def decide(verb, *args):
        mail.outbox.clear()
        with django_capture_on_commit_callbacks(execute=True):
            verb(*args)
        return mail.outbox

    return decide


def test_the_approval_email_links_to_the_app(decide, make_user, admin, settings):
    user = make_user()
    (message,) = decide(user.approve, admin, "Welcome & enjoy")
    assert (message.to, message.subject) == ([user.email], "Your account is approved")
    assert f"{settings.SITE_URL}/live/" in message.body
    assert "Welcome & enjoy" in message.body


def test_the_rejection_email_has_the_reason(decide, make_user, admin):
    (message,) = decide(make_user().reject, admin, "Not one of <us>")
    assert "not approved" in message.subject
    assert "Not one of <us>" in message.body


def test_undoing_a_decision_sends_an_email(decide, make_user, admin):
    user = make_user()
    before = user.approval_state
    decide(user.reject, admin, "by mistake")
    (message,) = decide(user.restore, before, admin)
    assert "is pending approval again" in message.body


def test_a_setting_turns_the_emails_off(decide, make_user, admin, settings):
    settings.NOTIFY_USERS_OF_DECISIONS = False
    user = make_user()
    assert decide(user.approve, admin) == []
    assert user.is_approved


def test_several_emails_use_one_connection(decide, make_user, admin, monkeypatch):
    make_user(), make_user()
    opened = []
    monkeypatch.setattr("django.core.mail.backends.locmem.EmailBackend.open", lambda self: opened.append(self))
    assert len(decide(User.objects.pending().approve, admin)) == 2
    assert len(opened) == 1


@pytest.mark.parametrize("when", ["open", "send_messages"])
def test_a_decision_survives_a_mail_server_failure(decide, make_user, admin, monkeypatch, caplog, when):
    def refuse(*args):
        raise ConnectionRefusedError

    monkeypatch.setattr(f"django.core.mail.backends.locmem.EmailBackend.{when}", refuse)
    user = make_user()
    assert decide(user.approve, admin) == []
    assert user.is_approved
    assert "ConnectionRefusedError" in caplog.text
