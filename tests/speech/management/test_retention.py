"""`manage.py retention` deletes only what is due, and pages warn before a quota is reached."""

from datetime import timedelta

import numpy as np
import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from speech.errors import QuotaReached
from speech.gateway import workers
from speech.library.recording import Recorder, Recording
from speech.models import Retention, Session
from tests.support.speech.sessions import create_session


@pytest.fixture(autouse=True)
def folder(settings, tmp_path):
    settings.AUDIO_DIR = tmp_path


def aged(owner, days, text="hello", **fields):
    session = create_session(owner, text, saves_audio=True)
    Recorder(session.pk, 0, 0, None).append(0, np.ones(50_000, "<i2").tobytes())
    Session.objects.filter(pk=session.pk).update(created_at=timezone.now() - timedelta(days=days), **fields)
    session.refresh_from_db()
    return session


def remaining(*options):
    call_command("retention", *options)
    return {session.opening for session in Session.objects.all()}


def test_without_a_retention_rule_nothing_is_deleted(owner):
    aged(owner, 9999)
    assert remaining() == {"hello"}


def test_expired_sessions_are_deleted_with_their_audio(owner, settings, django_capture_on_commit_callbacks):
    settings.RETENTION_DAYS = 30
    old, _ = aged(owner, 31, "old"), aged(owner, 29, "new")
    assert remaining("--dry-run") == {"old", "new"}
    with django_capture_on_commit_callbacks(execute=True):
        assert remaining() == {"new"}
    assert not Recording(old.pk).folder.exists()


def test_the_owners_rule_overrides_the_sites(owner, settings):
    settings.RETENTION_DAYS = 30
    aged(owner, 99, "kept").set_retention(Retention.KEEP)
    aged(owner, 5, "short").set_retention(Retention.DAYS, 4)
    aged(owner, 40, "long").set_retention(Retention.DAYS, 50)
    assert remaining() == {"kept", "long"}


def test_audio_can_expire_before_the_transcript(owner, settings, django_capture_on_commit_callbacks):
    settings.AUDIO_RETENTION_DAYS = 7
    old, new = aged(owner, 8, "old"), aged(owner, 6, "new")
    with django_capture_on_commit_callbacks(execute=True):
        assert remaining() == {"old", "new"}
    assert (Recording(old.pk).samples, Recording(new.pk).samples) == (0, 50_000)


def test_deleted_sessions_are_kept_for_a_while(owner):
    for text, days in [("long ago", 8), ("lately", 6)]:
        aged(owner, 9, text, deleted_at=timezone.now() - timedelta(days=days))
    assert remaining() == {"lately"}


def test_live_sessions_are_kept(owner, settings):
    settings.RETENTION_DAYS = 1
    aged(owner, 5, "live", ended_at=None, seen_at=timezone.now())
    assert remaining() == {"live"}


def test_leftovers_of_a_restart_are_compressed_or_removed(owner, tmp_path):
    session = aged(owner, 1)
    orphan = Recording("0" * 8)
    orphan.folder.mkdir(parents=True)
    remaining()
    assert Recording(session.pk).flac
    assert not orphan.folder.exists()


# --- Quotas -----------------------------------------------------------------------------------------------------------


def page_of(owner, path="/sessions/"):
    client = Client()
    client.force_login(owner)
    return client.get(path).content.decode()


@pytest.mark.parametrize("path", ["/sessions/", "/live/"])
def test_pages_warn_before_a_quota_is_reached(path, owner, settings, monkeypatch):
    monkeypatch.setattr(workers, "DISCOVERY_TIMEOUT", 0.0)  # no engine runs here, so don't wait for one
    settings.QUOTA_HOURS = 10
    session = aged(owner, 1)
    assert "You’re using" not in page_of(owner, path)
    Session.objects.filter(pk=session.pk).update(samples=9 * 3600 * 24_000)
    assert "You’re using 9.0 of 10 hours of speech." in page_of(owner, path)


def test_a_user_at_the_quota_can_resume_but_not_start_sessions(owner, settings):
    settings.QUOTA_HOURS = 10
    session = aged(owner, 1, samples=10 * 3600 * 24_000)
    with pytest.raises(QuotaReached, match="hours of speech"):
        Session.acquire(owner, None)
    assert Session.acquire(owner, session.pk) == session
    Session.objects.filter(pk=session.pk).update(ended_at=timezone.now())
    Session.objects.all().soft_delete()
    assert Session.acquire(owner, None)


def test_a_user_at_the_audio_quota_saves_transcripts_only(owner, settings):
    settings.QUOTA_AUDIO_MB = 1
    aged(owner, 1, audio_bytes=1_000_000)
    assert not Session.acquire(owner, None, saves_audio=True).saves_audio
    assert "Audio is no longer saved" in page_of(owner)
