"""Downloads of one session and many, during a live session, and by the owner only."""

import io
import zipfile

import pytest
from django.test import Client

from accounts.models import User
from speech.events import Endpoint, Word
from speech.library.exports import FORMATS
from speech.models import Counts, Session
from tests.support.clients.downloads import body


def spoken_session(owner, text="well said", ended=True):
    session = Session.acquire(owner, None)
    session.start("checksum", "en")
    words = [Word(i, 0, word, i / 2, i / 2 + 0.4, 0.9) for i, word in enumerate(text.split())]
    session.commit(48_000, words, [Endpoint(0, 0, 1)] if ended else [], Counts(48_000, 0, 0))
    if ended:
        session.end()
    session.refresh_from_db()
    return session


def files_in(response):
    with zipfile.ZipFile(io.BytesIO(body(response))) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.mark.parametrize("extension", FORMATS)
def test_every_format_is_downloaded_as_a_file(pages, owner, extension):
    session = spoken_session(owner)
    response = pages.get(f"/sessions/{session.pk}/transcript.{extension}")
    assert response.status_code == 200
    assert body(response)
    assert response.headers["Content-Disposition"] == f'attachment; filename="{session.file_name}.{extension}"'


def test_the_page_offers_every_format(pages, owner):
    session = spoken_session(owner)
    page = pages.get(f"/sessions/{session.pk}/").content.decode()
    assert all(f"/sessions/{session.pk}/transcript.{extension}" in page for extension in FORMATS)


def test_options_come_from_the_query(pages, owner):
    session = spoken_session(owner)
    url = f"/sessions/{session.pk}/transcript.txt"
    assert b"[0:00] well said" in body(pages.get(url))
    assert b"\nwell said" in body(pages.get(f"{url}?times=0"))
    assert b"[0:00] well said" in body(pages.get(f"{url}?times=0&times=1"))  # a selected checkbox, as the form sends it


def test_final_words_can_be_downloaded_during_a_live_session(pages, owner):
    session = spoken_session(owner, ended=False)
    assert b"well said" in body(pages.get(f"/sessions/{session.pk}/transcript.srt"))
    assert b'"is_live":true' in body(pages.get(f"/sessions/{session.pk}/transcript.json"))


def test_several_sessions_are_downloaded_as_a_zip(pages, owner):
    sessions = [spoken_session(owner), spoken_session(owner), spoken_session(owner, "another one")]
    response = pages.post("/sessions/transcripts.zip", {"format": "txt", "session": [s.pk for s in sessions[:2]]})
    name = sessions[0].file_name
    assert set(files_in(response)) == {f"{name}.txt", f"{name}-2.txt"}
    response = pages.post("/sessions/transcripts.zip", {"format": "srt", "which": "all", "times": "0"})
    assert len(files_in(response)) == 3


def test_a_missing_selection_or_format_shows_an_error(pages, owner):
    session = spoken_session(owner)
    response = pages.post("/sessions/transcripts.zip", {"format": "txt"}, follow=True)
    assert "No sessions selected" in response.content.decode()
    response = pages.post("/sessions/transcripts.zip", {"format": "exe", "session": session.pk}, follow=True)
    assert "No sessions selected" in response.content.decode()


def test_other_users_cannot_download(owner, db):
    session = spoken_session(owner)
    eve = Client()
    eve.force_login(User.objects.create_user("eve@example.org", status="approved"))
    assert all(eve.get(f"/sessions/{session.pk}/transcript.{ext}").status_code == 404 for ext in FORMATS)
    response = eve.post("/sessions/transcripts.zip", {"format": "txt", "session": session.pk}, follow=True)
    assert "No sessions selected" in response.content.decode()
    response = eve.post("/sessions/transcripts.zip", {"format": "txt", "which": "all"}, follow=True)
    assert "No sessions selected" in response.content.decode()


def test_an_unknown_format_is_not_found(pages, owner):
    assert pages.get(f"/sessions/{spoken_session(owner).pk}/transcript.exe").status_code == 404


def test_a_long_session_is_streamed(pages, owner):
    session = spoken_session(owner, "word " * 3_500)
    response = pages.get(f"/sessions/{session.pk}/transcript.json")
    assert body(response).count(b'"text":"word"') == 3_500
