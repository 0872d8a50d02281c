"""A share link opens one session until it expires, is revoked, or its session or owner is deleted."""

from datetime import timedelta

import numpy as np
import pytest
from django.test import Client
from django.utils import timezone

from speech.library.recording import Recorder
from speech.library.recording.compression import compress
from speech.models import Session, Share
from tests.support.speech.sessions import create_session, create_user


@pytest.fixture
def session(db, settings, tmp_path):
    settings.AUDIO_DIR = tmp_path
    session = create_session(create_user(), "in the heart of paris", saves_audio=True)
    Recorder(session.pk, 0, 0, None).append(0, np.ones(50_000, "<i2").tobytes())
    compress(session.pk)
    return session


@pytest.fixture
def link(session):
    return Share.create(session, days=7, has_audio=True).get_absolute_url()


def status_of(link, part=""):
    return Client().get(f"{link}{part}").status_code


def test_a_link_opens_transcript_and_audio_without_login(link):
    page = Client().get(link)
    assert ">heart</span>" in page.content.decode()
    assert "Edit</button>" not in page.content.decode()
    assert page.headers["X-Robots-Tag"] == "noindex"
    assert page.headers["Referrer-Policy"] == "no-referrer"
    for part in ("audio.flac", "audio.wav", "peaks"):
        assert status_of(link, part) == 200


def test_audio_is_shared_only_if_the_owner_includes_it(session):
    link = Share.create(session, days=7, has_audio=False).get_absolute_url()
    assert "audio" not in Client().get(link).content.decode().replace("audio/", "")
    for part in ("audio.flac", "audio.wav", "peaks"):
        assert status_of(link, part) == 404


@pytest.mark.parametrize(
    "end",
    [
        lambda share: share.revoke(),
        lambda share: Share.objects.update(expires_at=timezone.now() - timedelta(seconds=1)),
        lambda share: Session.objects.all().soft_delete(),
        lambda share: share.session.owner.reject(None),
        lambda share: share.session.delete(),
    ],
    ids=["revoked", "expired", "session deleted", "owner rejected", "session permanently deleted"],
)
def test_an_ended_link_is_not_found(link, end):
    end(Share.objects.get())
    for part in ("", "audio.flac", "audio.wav", "peaks"):
        assert status_of(link, part) == 404


def test_links_are_unguessable(link):
    assert len(link.split("/")[2]) >= 43
    assert status_of("/shared/x/") == 404


def test_the_owner_creates_and_revokes_links(session):
    client = Client()
    client.force_login(session.owner)
    client.post(f"/sessions/{session.pk}/share/", {"days": "30"})
    share = Share.objects.get()
    assert timedelta(days=29) < share.expires_at - timezone.now() < timedelta(days=31)
    assert share.get_absolute_url() in client.get(f"/sessions/{session.pk}/").content.decode()
    client.post(f"/sessions/{session.pk}/share/{share.pk}/revoke/")
    assert not Share.objects.open().exists()
    client.post(f"/sessions/{session.pk}/share/", {"days": "9999"})
    assert Share.objects.count() == 1
