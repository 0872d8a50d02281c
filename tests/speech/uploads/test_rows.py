"""Whose turn it is with an upload, and what goes with it."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import User
from speech.errors import TooManyStreams
from speech.models import ALIVE_FOR, Session, Upload
from speech.models.upload import FORGOTTEN_AFTER, LEASE


@pytest.fixture
def owner(db):
    return User.objects.create_user("ada@example.org", status="approved")


@pytest.fixture
def upload(owner):
    return Upload.objects.create(owner=owner, name="a.wav", size=10, received=10, state=Upload.State.WAITING)


def age(upload, by):
    Upload.objects.filter(pk=upload.pk).update(seen_at=timezone.now() - by)


def test_one_process_has_it_until_its_lease_is_over(upload):
    mine = Upload.take("one", [])
    assert mine == upload
    assert Upload.take("two", []) is None
    age(upload, LEASE + timedelta(seconds=1))
    assert Upload.take("two", []) == upload
    assert not mine.sign(0)


def test_one_that_is_put_back_is_free_at_once(upload):
    Upload.take("one", []).put_back()
    assert Upload.take("two", []) == upload


def test_what_is_heard_again_does_not_count_backwards(upload):
    mine = Upload.take("one", [])
    assert mine.sign(48_000)
    assert mine.sign(24_000)
    upload.refresh_from_db()
    assert upload.told()["transcribed"] == 2


def test_its_session_is_alive_while_more_is_heard(upload):
    mine = Upload.take("one", [])
    session = mine.its_session()
    long_ago = timezone.now() - 2 * ALIVE_FOR
    for heard, is_live in ((24_000, True), (24_000, False)):
        Session.objects.update(seen_at=long_ago)
        mine.sign(heard)
        session.refresh_from_db()
        assert session.is_live == is_live


def test_files_leave_their_owner_room_to_speak(owner, settings):
    settings.STREAMS_PER_USER = 2
    for number in range(3):
        Upload.objects.create(owner=owner, name=f"{number}.wav", size=1, received=1, state=Upload.State.WAITING)
        Upload.take("one", []).its_session()
    for _ in range(2):
        Session.claim_for(owner, None)
    with pytest.raises(TooManyStreams):
        Session.claim_for(owner, None)


def test_its_session_is_made_once(upload):
    mine = Upload.take("one", [])
    session = mine.its_session()
    assert (session.title, mine.its_session()) == ("a", session)
    Upload.objects.all().delete()
    assert mine.its_session() is None


def test_what_was_refused_half_way_leaves_what_was_heard(upload):
    mine = Upload.take("one", [])
    mine.its_session()
    mine.refuse({"what": "Your account was rejected.", "why": "", "todo": ""})
    mine.cancel()
    assert Session.objects.count() == 1
    assert not Upload.objects.exists()


def test_what_is_cancelled_half_way_leaves_nothing(upload):
    mine = Upload.take("one", [])
    mine.its_session()
    mine.cancel()
    assert not Session.objects.exists()


@pytest.mark.parametrize("state", [Upload.State.SENDING, Upload.State.CUT, Upload.State.DONE])
def test_what_rests_is_forgotten_after_a_day(upload, state):
    Upload.objects.update(state=state)
    assert not Upload.objects.forgotten()
    age(upload, FORGOTTEN_AFTER)
    assert upload in Upload.objects.forgotten()


def test_what_waits_is_never_forgotten(upload):
    age(upload, 10 * FORGOTTEN_AFTER)
    assert not Upload.objects.forgotten()
