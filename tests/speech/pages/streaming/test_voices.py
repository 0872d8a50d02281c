"""The Voices page, and the audio files that it requests for its clips."""

import io

import numpy as np
import pytest
import soundfile
from django.test import Client

from accounts.models import User
from inference.messages import SAMPLE_RATE
from speech.gateway import workers
from speech.library.one_at_a_time import OneAtATime
from speech.pages.streaming import voices
from tests.support.speech.sessions import create_session, create_user

TONE = (8000 * np.sin(np.arange(SAMPLE_RATE) / 10)).astype("<i2").tobytes()


@pytest.fixture
def page(db, monkeypatch):
    monkeypatch.setattr(workers, "DISCOVERY_TIMEOUT", 0.0)  # no engine runs here, so don't wait for one
    monkeypatch.setattr(workers, "VOICES_TIMEOUT", 0.0)
    client = Client()
    client.force_login(User.objects.create_user("ada@example.org", status="approved"))
    return client


def post(client, format, audio):
    return client.post(f"/voices/file.{format}", audio, content_type="application/octet-stream")


@pytest.mark.parametrize(("format", "kind"), [("mp3", "MP3"), ("opus", "OGG")])
def test_audio_is_encoded_with_its_duration(page, format, kind):
    response = post(page, format, TONE)
    with soundfile.SoundFile(io.BytesIO(b"".join(response))) as file:
        assert file.format == kind
        assert file.frames / file.samplerate == pytest.approx(1.0, abs=0.15)


@pytest.mark.parametrize(
    ("format", "audio", "status"), [("exe", TONE, 404), ("mp3", b"", 413), ("mp3", b"\0" * 3, 400)]
)
def test_invalid_audio_returns_an_error_message(page, format, audio, status):
    response = post(page, format, audio)
    assert (response.status_code, len(response.json()["detail"]) > 20) == (status, True)


def test_too_much_audio_is_rejected_before_it_is_read(page, monkeypatch):
    monkeypatch.setattr(voices, "MAX_FILE", 100)
    assert post(page, "mp3", TONE).status_code == 413


def test_anonymous_and_unapproved_users_get_neither_page_nor_file(db):
    client = Client()
    assert client.get("/voices/").status_code == 302
    client.force_login(User.objects.create_user("grace@example.org"))
    assert client.get("/voices/").status_code == 302
    assert post(client, "mp3", TONE).status_code in (302, 403)


def test_a_session_can_be_read_aloud(page):
    owner = User.objects.get()
    session = create_session(owner, "in the heart of paris", "is <b> the crystal")
    html = page.get(f"/voices/?session={session.pk}")
    config = html.context["config"]["session"]
    assert (config["text"], config["language"]) == ("in the heart of paris\nis <b> the crystal", "en")
    assert "<b> the" not in html.content.decode()
    assert f"/voices/?session={session.pk}" in page.get(f"/sessions/{session.pk}/").content.decode()


def test_a_long_session_is_read_in_parts(page, monkeypatch):
    monkeypatch.setattr(voices, "MAX_TEXT", 25)
    session = create_session(User.objects.get(), "in the heart of paris", "is the crystal")
    first = page.get(f"/voices/?session={session.pk}")
    assert first.context["config"]["session"]["text"] == "in the heart of paris"
    rest = first.context["config"]["session"]["rest"]
    assert page.get(f"/voices/{rest}").context["config"]["session"]["text"] == "is the crystal"
    assert 'href="?session=' in first.content.decode()


@pytest.mark.parametrize("after", ["", "soon", "nan"])
def test_an_invalid_time_starts_at_the_beginning(page, after):
    session = create_session(User.objects.get(), "in the heart of paris")
    config = page.get(f"/voices/?session={session.pk}&after={after}").context["config"]["session"]
    assert config["text"] == "in the heart of paris"


def test_other_users_sessions_are_not_found(page):
    session = create_session(create_user("eve@example.org"), "private words")
    assert page.get(f"/voices/?session={session.pk}").status_code == 404
    assert page.get("/voices/?session=1").status_code == 404


def test_cross_site_forms_are_rejected(page):
    page.handler.enforce_csrf_checks = True
    assert post(page, "mp3", TONE).status_code == 403


def test_an_account_converts_one_clip_at_a_time(page, monkeypatch):
    running = OneAtATime()
    monkeypatch.setattr(voices, "_running", running)
    end = running.begin(User.objects.get().pk)
    response = post(page, "mp3", TONE)
    assert (response.status_code, response["Retry-After"]) == (429, "5")
    assert "another clip" in response.json()["detail"]
    end()
    response = post(page, "mp3", TONE)
    assert response.status_code == 200
    assert post(page, "wav", TONE).status_code == 429  # until the first one is sent
    assert b"".join(response)
    assert post(page, "wav", TONE).status_code == 200


async def test_a_clip_is_encoded_while_it_is_sent(page, monkeypatch):
    """So that it takes no memory: what is read of the body grows with what is sent."""
    monkeypatch.setattr(voices, "CHUNK", 4_800)
    body = io.BytesIO(TONE)
    sent = [(body.tell(), len(chunk)) async for chunk in voices._encoded(body, "wav")]
    assert len(sent) >= 10
    assert all(size <= 4_800 + 100 for _, size in sent)
    assert sent[1][0] < len(TONE) / 3
