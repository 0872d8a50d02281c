"""Recordings are exact to the sample, even if processes die in between."""

import io
import wave

import numpy as np
import pytest
import soundfile
from django.test import Client

from speech import disk_space
from speech.library.recording import Recorder, Recording
from speech.library.recording.chunks import Chunk
from speech.library.recording.compression import compress
from speech.models import Session
from tests.support.speech.sessions import create_session, create_user

RATE = 24_000


@pytest.fixture(autouse=True)
def folder(settings, tmp_path):
    settings.AUDIO_DIR = tmp_path


@pytest.fixture
def session(owner):
    return create_session(owner, "in the heart of paris", saves_audio=True)


def noise(samples, seed=0):
    return np.random.default_rng(seed).integers(-9000, 9000, samples).astype("<i2")


def new_recorder(session, position=0, epoch=0, max_bytes=None):
    return Recorder(session.pk, epoch, position, max_bytes)


def record(session, pcm, position=0, **options):
    recorder = new_recorder(session, position, **options)
    for first in range(0, len(pcm), 10_000):
        recorder.append(position + first, pcm[first : first + 10_000].tobytes())


def test_audio_is_read_by_position(session):
    pcm = noise(100_000)
    record(session, pcm)
    assert Recording(session.pk).samples == 100_000
    assert np.array_equal(Recording(session.pk).read(12_345, 67_890), pcm[12_345:67_890])


def test_a_resumed_stream_overwrites_unacknowledged_audio(session):
    """The previous stream wrote more than it acknowledged, and the client resent different audio."""
    first, second = noise(50_000, 1), noise(60_000, 2)
    record(session, first)
    record(session, second, position=30_000, epoch=1)
    expected = np.concatenate((first[:30_000], second))
    assert np.array_equal(Recording(session.pk).read(0, 90_000), expected)
    compress(session.pk)
    assert np.array_equal(Recording(session.pk).read(0, 90_000), expected)


def test_a_stale_stream_that_keeps_writing_changes_nothing(session):
    current, stale = noise(60_000, 1), noise(80_000, 2)
    old = new_recorder(session)
    old.append(0, current[:20_000].tobytes())
    record(session, current[20_000:], position=20_000, epoch=1)
    old.append(20_000, stale.tobytes())
    assert np.array_equal(Recording(session.pk).read(0, 60_000), current)
    assert Recording(session.pk).samples == 60_000


def test_a_compressed_recording_can_be_continued(session):
    first, second, third = noise(50_000, 1), noise(40_000, 2), noise(30_000, 3)
    record(session, first)
    compress(session.pk)
    record(session, second, position=50_000, epoch=1)
    assert Recording(session.pk).flac is None
    record(session, third, position=90_000, epoch=2)
    compress(session.pk)
    pcm, _ = soundfile.read(Recording(session.pk).flac, dtype="int16")
    assert np.array_equal(pcm, np.concatenate((first, second, third)))


def test_missing_audio_is_silence(session):
    pcm = noise(60_000)
    recorder = new_recorder(session)
    recorder.append(0, pcm[:20_000].tobytes())
    recorder.append(40_000, pcm[40_000:].tobytes())
    pcm[20_000:40_000] = 0
    assert np.array_equal(Recording(session.pk).read(0, 60_000), pcm)


def test_a_full_disk_loses_only_audio(session, settings, tmp_path, caplog):
    (tmp_path / "file").write_text("no folder")
    settings.AUDIO_DIR = tmp_path / "file"
    record(session, noise(50_000))
    (log_record,) = caplog.records
    assert f"could not save audio of session {session.pk}" in log_record.message


def test_recording_stops_at_the_quota(session):
    record(session, noise(100_000), max_bytes=50_000)
    assert Recording(session.pk).samples == 50_000


def test_compression_saves_space_and_updates_the_session(session):
    tone = (8000 * np.sin(np.arange(RATE * 10) / 9)).astype("<i2")
    record(session, tone)
    compress(session.pk)
    session.refresh_from_db()
    assert 0 < session.audio_bytes < tone.nbytes * 0.6
    assert compress(session.pk) is None  # again: nothing to do, nothing lost
    assert len(Recording(session.pk).peaks()) == 200
    assert max(Recording(session.pk).peaks()) == 8000 // 128


@pytest.mark.parametrize("is_continued", [False, True])
@pytest.mark.parametrize("read", [lambda it: it.samples, lambda it: len(it.read(0, 50_000))])
def test_a_recording_that_is_compressed_while_it_is_read_is_read_whole(session, monkeypatch, read, is_continued):
    """Compression replaces files that the reader has already found."""
    pcm = noise(50_000)
    record(session, pcm[:30_000])
    if is_continued:  # then one compressed file replaces another
        compress(session.pk)
        record(session, pcm[30_000:], position=30_000, epoch=1)
    else:
        record(session, pcm[30_000:], position=30_000)
    find = Chunk.all_in

    def find_then_compress(folder):
        found = find(folder)
        monkeypatch.setattr(Chunk, "all_in", find)
        compress(session.pk)
        return found

    monkeypatch.setattr(Chunk, "all_in", find_then_compress)
    assert read(Recording(session.pk)) == 50_000
    assert np.array_equal(Recording(session.pk).read(0, 50_000), pcm)


def test_a_session_that_another_stream_continues_is_not_compressed(session):
    record(session, noise(50_000))
    Session.acquire(session.owner, session.pk)
    compress(session.pk)
    assert Recording(session.pk).flac is None
    assert Recording(session.pk).samples == 50_000


def test_deleting_a_session_deletes_its_files(session, django_capture_on_commit_callbacks):
    record(session, noise(5000))
    with django_capture_on_commit_callbacks(execute=True):
        Session.objects.all().delete()
    assert not Recording(session.pk).folder.exists()


# --- HTTP -------------------------------------------------------------------------------------------------------------


def test_range_requests_return_the_requested_part(pages, session):
    record(session, noise(50_000))
    compress(session.pk)
    whole = Recording(session.pk).flac.read_bytes()
    url = f"/sessions/{session.pk}/audio.flac"
    for byte_range, part in [("0-99", whole[:100]), ("500-", whole[500:]), ("-10", whole[-10:])]:
        response = pages.get(url, headers={"Range": f"bytes={byte_range}"})
        assert (response.status_code, response.content) == (206, part)
    assert pages.get(url, headers={"Range": "bytes=0-1"}).headers["Content-Range"] == f"bytes 0-1/{len(whole)}"
    assert pages.get(url, headers={"Range": f"bytes={len(whole)}-"}).status_code == 416
    assert pages.get(url, headers={"Range": "lines=1-2"}).status_code == 200


def test_a_live_session_is_served_as_wav(pages, session):
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
def test_other_users_get_no_audio(session, page):
    record(session, noise(5000))
    other = Client()
    other.force_login(create_user("eve@example.org"))
    assert other.get(f"/sessions/{session.pk}/{page}").status_code == 404


def test_a_recording_leaves_the_reserve_of_the_disk(session, monkeypatch, caplog):
    recorder = new_recorder(session)
    recorder.append(0, noise(20_000).tobytes())
    monkeypatch.setattr(disk_space, "available", lambda _: 0)
    recorder.append(20_000, noise(20_000).tobytes())
    assert Recording(session.pk).samples == 20_000
    assert "No space left on device" in caplog.text
    monkeypatch.undo()
    recorder.append(40_000, noise(20_000).tobytes())
    assert Recording(session.pk).samples == 60_000
