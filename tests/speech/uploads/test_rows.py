"""Whose turn it is with an upload, and what goes with it."""

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


def test_one_process_has_it_until_its_lease_is_over(upload):
    mine = Upload.claim("one", [])
    assert mine == upload
    assert Upload.claim("two", []) is None
    age(upload, LEASE + timedelta(seconds=1))
    assert Upload.claim("two", []) == upload
    assert not mine.heartbeat(0)


def test_one_that_is_put_back_is_free_at_once(upload):
    Upload.claim("one", []).release()
    assert Upload.claim("two", []) == upload


def test_what_is_heard_again_does_not_count_backwards(upload):
    mine = Upload.claim("one", [])
    assert mine.heartbeat(48_000)
    assert mine.heartbeat(24_000)
    upload.refresh_from_db()
    assert upload.to_dict()["transcribed"] == 2


def test_its_session_is_alive_while_more_is_heard(upload):
    mine = Upload.claim("one", [])
    session = mine.resolve_session()
    long_ago = timezone.now() - 2 * LIVE_TIMEOUT
    for heard, is_live in ((24_000, True), (24_000, False)):
        Session.objects.update(seen_at=long_ago)
        mine.heartbeat(heard)
        session.refresh_from_db()
        assert session.is_live == is_live


def test_files_leave_their_owner_room_to_speak(owner, settings):
    settings.STREAMS_PER_USER = 2
    for number in range(3):
        Upload.objects.create(owner=owner, name=f"{number}.wav", size=1, received=1, state=Upload.State.WAITING)
        Upload.claim("one", []).resolve_session()
    for _ in range(2):
        Session.acquire(owner, None)
    with pytest.raises(TooManyStreams):
        Session.acquire(owner, None)


def test_its_session_is_made_once(upload):
    mine = Upload.claim("one", [])
    session = mine.resolve_session()
    assert (session.title, mine.resolve_session()) == ("a", session)
    Upload.objects.all().delete()
    assert mine.resolve_session() is None


def test_what_was_refused_half_way_leaves_what_was_heard(upload):
    mine = Upload.claim("one", [])
    mine.resolve_session()
    mine.fail({"what": "Your account was rejected.", "why": "", "action": ""})
    mine.cancel()
    assert Session.objects.count() == 1
    assert not Upload.objects.exists()


def test_what_is_cancelled_half_way_leaves_nothing(upload):
    mine = Upload.claim("one", [])
    mine.resolve_session()
    mine.cancel()
    assert not Session.objects.exists()


@pytest.mark.parametrize("state", [Upload.State.SENDING, Upload.State.CUT, Upload.State.DONE])
def test_what_rests_is_forgotten_after_a_day(upload, state):
    Upload.objects.update(state=state)
    assert not Upload.objects.expired()
    age(upload, DELETED_AFTER)
    assert upload in Upload.objects.expired()


def test_what_waits_is_never_forgotten(upload):
    age(upload, 10 * DELETED_AFTER)
    assert not Upload.objects.expired()
