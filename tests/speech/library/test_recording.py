"""A recording is exact to the sample, whoever died in between."""

import io
import wave

import numpy as np
import pytest
import soundfile
from django.test import Client

from speech.library.recording import Recorder, Recording
from speech.library.recording.compression import compress
from speech.models import Session
from tests.support.speech.sessions import said, somebody

RATE = 24_000


@pytest.fixture(autouse=True)
def folder(settings, tmp_path):
    settings.AUDIO_DIR = tmp_path


@pytest.fixture
def session(db):
    return said(somebody(), "in the heart of paris", saves_audio=True)


def noise(samples, seed=0):
    return np.random.default_rng(seed).integers(-9000, 9000, samples).astype("<i2")


def recorder(session, position=0, epoch=0, room=None):
    return Recorder(session.pk, epoch, position, room)


def record(session, pcm, position=0, **options):
    into = recorder(session, position, **options)
    for first in range(0, len(pcm), 10_000):
        into.append(position + first, pcm[first : first + 10_000].tobytes())


def test_what_was_appended_is_read_by_position(session):
    pcm = noise(100_000)
    record(session, pcm)
    assert Recording(session.pk).samples == 100_000
    assert np.array_equal(Recording(session.pk).read(12_345, 67_890), pcm[12_345:67_890])


def test_a_stream_that_goes_on_begins_where_the_words_end(session):
    """The one before had written more than was acknowledged; its speaker said something else when it was heard anew."""
    first, second = noise(50_000, 1), noise(60_000, 2)
    record(session, first)
    record(session, second, position=30_000, epoch=1)
    expected = np.concatenate((first[:30_000], second))
    assert np.array_equal(Recording(session.pk).read(0, 90_000), expected)
    compress(session.pk)
    assert np.array_equal(Recording(session.pk).read(0, 90_000), expected)


def test_one_that_lost_the_session_and_goes_on_writing_changes_nothing(session):
    mine, stale = noise(60_000, 1), noise(80_000, 2)
    old = recorder(session)
    old.append(0, mine[:20_000].tobytes())
    record(session, mine[20_000:], position=20_000, epoch=1)
    old.append(20_000, stale.tobytes())
    assert np.array_equal(Recording(session.pk).read(0, 60_000), mine)
    assert Recording(session.pk).samples == 60_000


def test_it_goes_on_after_it_was_compressed(session):
    first, second, third = noise(50_000, 1), noise(40_000, 2), noise(30_000, 3)
    record(session, first)
    compress(session.pk)
    record(session, second, position=50_000, epoch=1)
    assert Recording(session.pk).flac is None
    record(session, third, position=90_000, epoch=2)
    compress(session.pk)
    pcm, _ = soundfile.read(Recording(session.pk).flac, dtype="int16")
    assert np.array_equal(pcm, np.concatenate((first, second, third)))


def test_where_nothing_could_be_written_there_is_silence(session):
    pcm = noise(60_000)
    into = recorder(session)
    into.append(0, pcm[:20_000].tobytes())
    into.append(40_000, pcm[40_000:].tobytes())
    pcm[20_000:40_000] = 0
    assert np.array_equal(Recording(session.pk).read(0, 60_000), pcm)


def test_a_full_disk_costs_sound_and_nothing_else(session, settings, tmp_path, caplog):
    (tmp_path / "file").write_text("no folder")
    settings.AUDIO_DIR = tmp_path / "file"
    record(session, noise(50_000))
    (told,) = caplog.records
    assert f"the sound of session {session.pk} cannot be kept" in told.message


def test_no_more_is_written_than_the_quota_has_room_for(session):
    record(session, noise(100_000), room=50_000)
    assert Recording(session.pk).samples == 50_000


def test_compressing_takes_less_and_tells_the_session(session):
    tone = (8000 * np.sin(np.arange(RATE * 10) / 9)).astype("<i2")
    record(session, tone)
    compress(session.pk)
    session.refresh_from_db()
    assert 0 < session.audio_bytes < tone.nbytes * 0.6
    assert compress(session.pk) is None  # again: nothing to do, nothing lost
    assert len(Recording(session.pk).peaks()) == 200
    assert max(Recording(session.pk).peaks()) == 8000 // 128


def test_one_with_which_another_stream_goes_on_is_left_alone(session):
    record(session, noise(50_000))
    Session.acquire(session.owner, session.pk)
    compress(session.pk)
    assert Recording(session.pk).flac is None
    assert Recording(session.pk).samples == 50_000


def test_what_is_deleted_leaves_nothing_on_the_disk(session, django_capture_on_commit_callbacks):
    record(session, noise(5000))
    with django_capture_on_commit_callbacks(execute=True):
        Session.objects.all().delete()
    assert not Recording(session.pk).folder.exists()


# --- Over HTTP --------------------------------------------------------------------------------------------------------


@pytest.fixture
def pages(session):
    client = Client()
    client.force_login(session.owner)
    return client


def test_a_player_gets_the_part_it_asks_for(pages, session):
    record(session, noise(50_000))
    compress(session.pk)
    whole = Recording(session.pk).flac.read_bytes()
    url = f"/sessions/{session.pk}/audio.flac"
    for wanted, part in [("0-99", whole[:100]), ("500-", whole[500:]), ("-10", whole[-10:])]:
        response = pages.get(url, headers={"Range": f"bytes={wanted}"})
        assert (response.status_code, response.content) == (206, part)
    assert pages.get(url, headers={"Range": "bytes=0-1"}).headers["Content-Range"] == f"bytes 0-1/{len(whole)}"
    assert pages.get(url, headers={"Range": f"bytes={len(whole)}-"}).status_code == 416
    assert pages.get(url, headers={"Range": "lines=1-2"}).status_code == 200


def test_one_that_still_goes_on_is_a_wav_of_what_there_is(pages, session):
    pcm = noise(50_001)
    record(session, pcm)
    url = f"/sessions/{session.pk}/audio.wav?samples=50000"
    assert pages.get(f"/sessions/{session.pk}/audio.flac").status_code == 404
    whole = pages.get(url, headers={"Range": "bytes=0-"}).content
    with wave.open(io.BytesIO(whole)) as wav:
        assert (wav.getnframes(), wav.getframerate()) == (50_000, RATE)
        assert np.array_equal(np.frombuffer(wav.readframes(50_000), "<i2"), pcm[:50_000])
    for first, last in [(0, 43), (40, 51), (45, 46), (101, 204)]:
        part = pages.get(url, headers={"Range": f"bytes={first}-{last}"}).content
        assert part == whole[first : last + 1]


@pytest.mark.parametrize("page", ["audio.flac", "audio.wav", "peaks"])
def test_others_hear_nothing(session, page):
    record(session, noise(5000))
    other = Client()
    other.force_login(somebody("eve@example.org"))
    assert other.get(f"/sessions/{session.pk}/{page}").status_code == 404
