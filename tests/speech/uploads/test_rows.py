"""Leases of uploads, and what their deletion takes with it."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import User
from speech.errors import TooManyStreams
from speech.models import LIVE_TIMEOUT, Session, Upload
from speech.models.upload import DELETED_AFTER, LEASE


@pytest.fixture
def owner(db):
    return User.objects.create_user("ada@example.org", status="approved")


@pytest.fixture
def upload(owner):
    return Upload.objects.create(owner=owner, name="a.wav", size=10, received=10, state=Upload.State.WAITING)


def age(upload, by):
    Upload.objects.filter(pk=upload.pk).update(seen_at=timezone.now() - by)


def test_one_process_holds_an_upload_until_its_lease_expires(upload):
    claimed = Upload.claim("one", [])
    assert claimed == upload
    assert Upload.claim("two", []) is None
    age(upload, LEASE + timedelta(seconds=1))
    assert Upload.claim("two", []) == upload
    assert not claimed.heartbeat(0)


def test_a_released_upload_can_be_claimed_immediately(upload):
    Upload.claim("one", []).release()
    assert Upload.claim("two", []) == upload


def test_progress_never_decreases(upload):
    claimed = Upload.claim("one", [])
    assert claimed.heartbeat(48_000)
    assert claimed.heartbeat(24_000)
    upload.refresh_from_db()
    assert upload.to_dict()["transcribed"] == 2


def test_progress_keeps_the_session_live(upload):
    claimed = Upload.claim("one", [])
    session = claimed.resolve_session()
    long_ago = timezone.now() - 2 * LIVE_TIMEOUT
    for processed, is_live in ((24_000, True), (24_000, False)):
        Session.objects.update(seen_at=long_ago)
        claimed.heartbeat(processed)
        session.refresh_from_db()
        assert session.is_live == is_live


def test_uploads_do_not_count_toward_the_limit_of_streams(owner, settings):
    settings.STREAMS_PER_USER = 2
    for number in range(3):
        Upload.objects.create(owner=owner, name=f"{number}.wav", size=1, received=1, state=Upload.State.WAITING)
        Upload.claim("one", []).resolve_session()
    for _ in range(2):
        Session.acquire(owner, None)
    with pytest.raises(TooManyStreams):
        Session.acquire(owner, None)


def test_the_session_is_created_once(upload):
    claimed = Upload.claim("one", [])
    session = claimed.resolve_session()
    assert (session.title, claimed.resolve_session()) == ("a", session)
    Upload.objects.all().delete()
    assert claimed.resolve_session() is None


def test_a_failed_upload_keeps_its_partial_session(upload):
    claimed = Upload.claim("one", [])
    claimed.resolve_session()
    claimed.fail({"what": "Your account was rejected.", "why": "", "action": ""})
    claimed.cancel()
    assert Session.objects.count() == 1
    assert not Upload.objects.exists()


def test_canceling_deletes_the_partial_session(upload):
    claimed = Upload.claim("one", [])
    claimed.resolve_session()
    claimed.cancel()
    assert not Session.objects.exists()


@pytest.mark.parametrize("state", [Upload.State.UPLOADING, Upload.State.TRUNCATED, Upload.State.DONE])
def test_idle_uploads_expire_after_a_day(upload, state):
    Upload.objects.update(state=state)
    assert not Upload.objects.expired()
    age(upload, DELETED_AFTER)
    assert upload in Upload.objects.expired()


def test_waiting_uploads_never_expire(upload):
    age(upload, 10 * DELETED_AFTER)
    assert not Upload.objects.expired()
