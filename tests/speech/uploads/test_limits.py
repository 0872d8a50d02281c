"""Uploads leave disk space to others, and jobs: no account takes all of either."""

import asyncio
from datetime import timedelta

import pytest
from django.utils import timezone

from speech import disk_space
from speech.models import Session, Upload
from speech.models.upload import RESERVED_FOR
from speech.uploads import runner, service
from speech.uploads.errors import DiskFull, TooManyUploads
from tests.support.speech.sessions import create_user

MB = 1_000_000


@pytest.fixture
def disk(settings, tmp_path, monkeypatch):
    """Set the MB that are available on a disk."""
    settings.DATA_DIR = tmp_path

    def available(megabytes):
        monkeypatch.setattr(disk_space, "available", lambda _: megabytes * MB)

    available(10_000)
    return available


@pytest.fixture
def ada(db):
    return create_user()


@pytest.fixture
def grace(db):
    return create_user("grace@example.org")


def announce(owner, megabytes, name="talk.mp3"):
    options = {"engine": "", "language": "", "audio": False, "multichannel": False}
    return service.create_upload(owner, name, megabytes * MB, **options, fingerprint=f"{name} {megabytes}")


def test_announced_uploads_reserve_their_space(disk, ada, grace):
    disk(1_200)
    upload = announce(ada, 600)
    with pytest.raises(DiskFull):
        announce(grace, 400)
    announce(grace, 300)
    Upload.objects.filter(pk=upload.pk).update(received=500 * MB)
    disk(1_000)  # what has been received is no longer available, and no longer reserved
    announce(grace, 100, "another.mp3")


def test_the_uploads_of_an_account_take_at_most_half_of_what_is_left(disk, ada, grace):
    disk(1_000)
    announce(ada, 400)
    with pytest.raises(DiskFull, match="at most half"):
        announce(ada, 200, "another.mp3")
    announce(grace, 300)
    assert announce(ada, 400)  # resumed


def test_an_upload_that_pauses_for_long_reserves_nothing_until_it_goes_on(disk, ada, grace):
    disk(1_200)
    upload = announce(ada, 600)
    Upload.objects.filter(pk=upload.pk).update(seen_at=timezone.now() - RESERVED_FOR - timedelta(seconds=1))
    announce(grace, 600)
    disk(1_100)
    with pytest.raises(DiskFull):
        announce(ada, 600)  # the same file again
    disk(1_600)
    assert announce(ada, 600) == upload


def test_a_part_that_would_touch_the_reserve_is_rejected(disk, ada, tmp_path):
    upload = announce(ada, 5)
    disk(0)
    with (tmp_path / "part").open("wb+") as part, pytest.raises(DiskFull):
        service.add_part(upload, "0", 1_000, part)


def test_the_pending_uploads_of_an_account_are_limited_together(disk, ada, grace, settings):
    settings.UPLOAD_PENDING_MB = 1_000
    announce(ada, 600)
    with pytest.raises(TooManyUploads) as error:
        announce(ada, 500, "another.mp3")
    assert error.value.why == "With this file of 500 MB, they exceed the 1000 MB of an account."
    announce(grace, 600)
    settings.UPLOAD_PENDING_MB = 0
    announce(ada, 500, "another.mp3")


def test_audio_is_not_saved_on_a_disk_that_is_nearly_full(disk, ada):
    assert Session.acquire(ada, None, saves_audio=True).saves_audio
    disk(0)
    assert not Session.acquire(ada, None, saves_audio=True).saves_audio
    assert Session.objects.of(ada).usage().is_disk_full


# --- Jobs -------------------------------------------------------------------------------------------------------------


def waiting(owner, count):
    return [
        Upload.objects.create(owner=owner, name=f"{n}.mp3", size=1, received=1, state=Upload.State.WAITING)
        for n in range(count)
    ]


def test_the_account_with_the_fewest_uploads_in_work_is_next(ada, grace):
    first, second = waiting(ada, 2)
    (other,) = waiting(grace, 1)
    assert [Upload.claim("worker", []) for _ in range(3)] == [first, other, second]


@pytest.mark.django_db(transaction=True)
async def test_one_account_leaves_the_last_job_to_another(monkeypatch, no_engines):
    class Job:
        def __init__(self, upload):
            self.upload, self.processed = upload, 0

        async def run(self):
            await asyncio.Event().wait()

    monkeypatch.setattr(runner, "UploadJob", Job)
    ada, grace = await asyncio.to_thread(create_user), await asyncio.to_thread(create_user, "grace@example.org")
    await asyncio.to_thread(waiting, ada, 6)
    jobs = runner.Runner()
    await jobs._poll()
    assert len(jobs._jobs) == runner.MAX_JOBS - 1
    await asyncio.to_thread(waiting, grace, 1)
    await jobs._poll()
    assert [job.upload.owner_id for job, _ in jobs._jobs.values()] == [ada.pk] * 3 + [grace.pk]
    await jobs._stop()
