"""What is due is deleted, words and sound, and nothing else; and quotas are told before they are reached."""

from datetime import timedelta

import numpy as np
import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from speech.errors import QuotaReached
from speech.library.recording import Recorder, Recording
from speech.models import Retention, Session
from tests.support.speech.sessions import said


@pytest.fixture(autouse=True)
def folder(settings, tmp_path):
    settings.AUDIO_DIR = tmp_path


def aged(owner, days, text="hello", **fields):
    session = said(owner, text, saves_audio=True)
    Recorder(session.pk, 0, 0, None).append(0, np.ones(50_000, "<i2").tobytes())
    Session.objects.filter(pk=session.pk).update(created_at=timezone.now() - timedelta(days=days), **fields)
    session.refresh_from_db()
    return session


def left(*options):
    call_command("retention", *options)
    return {session.opening for session in Session.objects.all()}


def test_without_a_rule_everything_stays(owner):
    aged(owner, 9999)
    assert left() == {"hello"}


def test_sessions_whose_time_is_over_go_with_their_sound(owner, settings, django_capture_on_commit_callbacks):
    settings.RETENTION_DAYS = 30
    old, _ = aged(owner, 31, "old"), aged(owner, 29, "new")
    assert left("--dry-run") == {"old", "new"}
    with django_capture_on_commit_callbacks(execute=True):
        assert left() == {"new"}
    assert not Recording(old.pk).folder.exists()


def test_the_owners_rule_goes_before_the_sites(owner, settings):
    settings.RETENTION_DAYS = 30
    aged(owner, 99, "kept").set_retention(Retention.KEEP)
    aged(owner, 5, "short").set_retention(Retention.DAYS, 4)
    aged(owner, 40, "long").set_retention(Retention.DAYS, 50)
    assert left() == {"kept", "long"}


def test_the_sound_may_go_before_the_words(owner, settings, django_capture_on_commit_callbacks):
    settings.AUDIO_RETENTION_DAYS = 7
    old, new = aged(owner, 8, "old"), aged(owner, 6, "new")
    with django_capture_on_commit_callbacks(execute=True):
        assert left() == {"old", "new"}
    assert (Recording(old.pk).samples, Recording(new.pk).samples) == (0, 50_000)


def test_what_was_deleted_can_be_put_back_for_a_while(owner):
    for text, days in [("long ago", 8), ("lately", 6)]:
        aged(owner, 9, text, deleted_at=timezone.now() - timedelta(days=days))
    assert left() == {"lately"}


def test_one_that_still_goes_on_is_left_alone(owner, settings):
    settings.RETENTION_DAYS = 1
    aged(owner, 5, "live", ended_at=None, seen_at=timezone.now())
    assert left() == {"live"}


def test_what_a_restart_left_behind_is_put_in_order(owner, tmp_path):
    session = aged(owner, 1)
    stray = Recording("0" * 8)
    stray.folder.mkdir(parents=True)
    left()
    assert Recording(session.pk).flac
    assert not stray.folder.exists()


# --- Quotas -----------------------------------------------------------------------------------------------------------


def page_of(owner, path="/sessions/"):
    client = Client()
    client.force_login(owner)
    return client.get(path).content.decode()


@pytest.mark.parametrize("path", ["/sessions/", "/live/"])
def test_a_quota_is_told_before_it_is_reached(path, owner, settings):
    settings.QUOTA_HOURS = 10
    session = aged(owner, 1)
    assert "You keep" not in page_of(owner, path)
    Session.objects.filter(pk=session.pk).update(samples=9 * 3600 * 24_000)
    assert "You keep 9.0 of 10 hours of speech." in page_of(owner, path)


def test_one_who_keeps_all_that_is_allowed_starts_nothing_new_but_goes_on(owner, settings):
    settings.QUOTA_HOURS = 10
    session = aged(owner, 1, samples=10 * 3600 * 24_000)
    with pytest.raises(QuotaReached, match="hours of speech"):
        Session.acquire(owner, None)
    assert Session.acquire(owner, session.pk) == session
    Session.objects.filter(pk=session.pk).update(ended_at=timezone.now())
    Session.objects.all().soft_delete()
    assert Session.acquire(owner, None)


def test_one_whose_sound_is_all_that_is_allowed_keeps_words_alone(owner, settings):
    settings.QUOTA_AUDIO_MB = 1
    aged(owner, 1, audio_bytes=1_000_000)
    assert not Session.acquire(owner, None, saves_audio=True).saves_audio
    assert "Sound is not kept any more" in page_of(owner)
