"""The files that the page of voices has made of what it holds."""

import io

import numpy as np
import pytest
import soundfile
from django.test import Client

from accounts.models import User
from inference.messages import SAMPLE_RATE
from speech.pages import voices

TONE = (8000 * np.sin(np.arange(SAMPLE_RATE) / 10)).astype("<i2").tobytes()


@pytest.fixture
def page(db):
    client = Client()
    client.force_login(User.objects.create_user("ada@example.org", status="approved"))
    return client


def post(client, format, audio):
    return client.post(f"/voices/file.{format}", audio, content_type="application/octet-stream")


@pytest.mark.parametrize(("format", "kind"), [("mp3", "MP3"), ("opus", "OGG")])
def test_audio_becomes_a_file_of_its_length(page, format, kind):
    answer = post(page, format, TONE)
    with soundfile.SoundFile(io.BytesIO(answer.content)) as file:
        assert file.format == kind
        assert file.frames / file.samplerate == pytest.approx(1.0, abs=0.15)


@pytest.mark.parametrize(
    ("format", "audio", "status"), [("exe", TONE, 404), ("mp3", b"", 413), ("mp3", b"\0" * 3, 400)]
)
def test_what_makes_no_file_is_refused_in_words(page, format, audio, status):
    answer = post(page, format, audio)
    assert (answer.status_code, len(answer.json()["detail"]) > 20) == (status, True)


def test_too_much_audio_is_refused_before_it_is_read(page, monkeypatch):
    monkeypatch.setattr(voices, "LONGEST_FILE", 100)
    assert post(page, "mp3", TONE).status_code == 413


def test_strangers_and_the_unapproved_get_neither_page_nor_file(db):
    client = Client()
    assert client.get("/voices/").status_code == 302
    client.force_login(User.objects.create_user("grace@example.org"))
    assert client.get("/voices/").status_code == 302
    assert post(client, "mp3", TONE).status_code in (302, 403)


def test_a_form_of_another_site_makes_no_file(page):
    page.handler.enforce_csrf_checks = True
    assert post(page, "mp3", TONE).status_code == 403
