"""Downloads of one session and many, during a live session, and by the owner only."""

import io
import json
import zipfile
from datetime import UTC, datetime
from urllib.parse import quote

import docx
import pytest
from django.test import Client

from accounts.models import User
from speech.events import Endpoint, Word
from speech.library.exports import FORMATS
from speech.models import Counts, Session, Share
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


# --- Times and names --------------------------------------------------------------------------------------------------


@pytest.fixture
def in_new_york(pages, owner):
    """A session in the first of the two hours that begin at 1:00 there, after 23:30 of the day before in the site's."""
    owner.time_zone = "America/New_York"
    owner.save()
    session = spoken_session(owner)
    session.started_at = session.created_at = datetime(2026, 11, 1, 3, 30, tzinfo=UTC)
    session.save()
    return session


def test_exports_and_file_names_have_the_time_of_their_reader(pages, in_new_york):
    response = pages.get(f"/sessions/{in_new_york.pk}/transcript.md")
    assert "2026-10-31 23:30 EDT (UTC−4) · 0:02" in body(response).decode()
    assert 'filename="2026-10-31-well-said.md"' in response.headers["Content-Disposition"]
    word = docx.Document(io.BytesIO(body(pages.get(f"/sessions/{in_new_york.pk}/transcript.docx"))))
    assert word.paragraphs[1].text == "2026-10-31 23:30 EDT (UTC−4) · 0:02"
    names = files_in(pages.post("/sessions/transcripts.zip", {"format": "txt", "which": "all"}))
    assert set(names) == {"2026-10-31-well-said.txt"}


def test_json_has_the_time_in_utc(pages, in_new_york):
    started = json.loads(body(pages.get(f"/sessions/{in_new_york.pk}/transcript.json")))["started_at"]
    assert datetime.fromisoformat(started) == in_new_york.started_at
    assert started.endswith(("Z", "+00:00"))


def test_pages_have_the_time_of_their_reader(pages, in_new_york):
    for path in (f"/sessions/{in_new_york.pk}/", "/sessions/?q=well"):
        assert "31 October 2026, 23:30 EDT" in pages.get(path).content.decode()
    assert "Saturday, 31 October 2026" in pages.get("/sessions/").content.decode()
    assert "America/New_York" in pages.get("/sessions/").content.decode()
    assert "Well said" in pages.get("/sessions/?until=2026-10-31").content.decode()
    assert "Well said" not in pages.get("/sessions/?since=2026-11-01").content.decode()


def test_visitors_of_a_share_link_have_the_time_of_their_browser(in_new_york):
    link = Share.create(in_new_york, days=7, has_audio=False).get_absolute_url()
    visitor = Client()
    assert "Sunday, 1 November 2026, 03:30 UTC" in visitor.get(link).content.decode()
    visitor.cookies["time_zone"] = "Asia/Tokyo"
    assert "Sunday, 1 November 2026, 12:30 JST" in visitor.get(link).content.decode()


def test_a_session_in_japanese_has_its_title_as_file_name(pages, owner):
    session = spoken_session(owner, "今日 は とても 良い 天気 です から 公園 まで 歩いて 行き ましょう")
    assert session.display_title == "今日はとても良い天気ですから公園…"
    assert session.segments.get().text == "今日はとても良い天気ですから公園まで歩いて行きましょう"
    name = f"{session.started_at:%Y-%m-%d}-今日はとても良い天気ですから公園"
    assert session.file_name == name
    response = pages.get(f"/sessions/{session.pk}/transcript.srt")
    assert response.headers["Content-Disposition"].endswith(f"filename*=utf-8''{quote(name)}.srt")
    assert ">今日</span><span" in pages.get(f"/sessions/{session.pk}/").content.decode()
