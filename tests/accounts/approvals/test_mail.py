import pytest
from django.core import mail

from accounts.models import User


@pytest.fixture
def decide(django_capture_on_commit_callbacks):
    """Decide and commit: `decide(user.approve, admin, "why")`; returns the e-mails that it caused."""

    def decide(verb, *args):
        mail.outbox.clear()
        with django_capture_on_commit_callbacks(execute=True):
            verb(*args)
        return mail.outbox

    return decide


def test_the_approved_get_the_address_of_the_app(decide, make_user, admin, settings):
    user = make_user()
    (message,) = decide(user.approve, admin, "Welcome & enjoy")
    assert (message.to, message.subject) == ([user.email], "Your account is approved")
    assert f"{settings.SITE_URL}/live/" in message.body
    assert "Welcome & enjoy" in message.body


def test_the_rejected_read_why(decide, make_user, admin):
    (message,) = decide(make_user().reject, admin, "Not one of <us>")
    assert "not approved" in message.subject
    assert "Not one of <us>" in message.body


def test_who_is_put_back_is_told(decide, make_user, admin):
    user = make_user()
    before = user.approval_state
    decide(user.reject, admin, "by mistake")
    (message,) = decide(user.restore, before, admin)
    assert "waits for approval again" in message.body


def test_nobody_is_told_where_the_site_is_set_so(decide, make_user, admin, settings):
    settings.TELL_USERS_OF_DECISIONS = False
    user = make_user()
    assert decide(user.approve, admin) == []
    assert user.is_approved


def test_many_are_told_over_one_connection(decide, make_user, admin, monkeypatch):
    make_user(), make_user()
    opened = []
    monkeypatch.setattr("django.core.mail.backends.locmem.EmailBackend.open", lambda self: opened.append(self))
    assert len(decide(User.objects.pending().approve, admin)) == 2
    assert len(opened) == 1


@pytest.mark.parametrize("when", ["open", "send_messages"])
def test_a_mail_server_that_is_away_undoes_no_decision(decide, make_user, admin, monkeypatch, caplog, when):
    def away(*args):
        raise ConnectionRefusedError

    monkeypatch.setattr(f"django.core.mail.backends.locmem.EmailBackend.{when}", away)
    user = make_user()
    assert decide(user.approve, admin) == []
    assert user.is_approved
    assert "ConnectionRefusedError" in caplog.text
