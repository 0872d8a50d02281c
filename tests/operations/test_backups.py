"""A backup brings everything back, also into another kind of database."""

import tarfile

import pytest
from django.core.management import CommandError, call_command

from accounts.models import Token, User
from accounts.scopes import scopes_of
from operations import backups
from speech.models import Correction, Segment, Session, Tag, Word
from tests.support.servers.databases import default_database
from tests.support.speech.sessions import said

EMAIL = "ada@example.org"
MODELS = (User, Token, Session, Segment, Word, Tag, Correction)


@pytest.fixture
def folders(settings, tmp_path):
    """Of a site that keeps sound."""
    settings.DATA_DIR = tmp_path / "data"
    settings.AUDIO_DIR = settings.DATA_DIR / "audio"
    settings.AUDIO_DIR.mkdir(parents=True)
    (settings.DATA_DIR / "secret_key").write_text("the key")
    (settings.AUDIO_DIR / "sound.flac").write_bytes(b"sound")
    return settings


def fill():
    user = User.objects.create_superuser(EMAIL, "a passphrase nobody guesses")
    Token.create(user, Token.Kind.API, "a program", scopes_of("stt"), None)
    session = said(user, "good morning", "the meeting begins")
    session.tags.add(Tag.objects.create(owner=user, name="meetings"))
    Correction.rewrite(session.segments.first(), user, "Good morning!")


def rows():
    return {model.__name__: list(model._base_manager.order_by("pk").values()) for model in MODELS}


@pytest.fixture
def made(db, folders, tmp_path):
    """A backup, and what is in it."""
    fill()
    return backups.back_up(tmp_path / "backups"), rows()


def test_nobody_else_can_read_it_and_nothing_unfinished_stays(made):
    path, _ = made
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(path.parent.iterdir()) == [path]


def test_what_was_lost_since_comes_back(made, folders):
    path, before = made
    Session.objects.all().delete()
    User.objects.create_user("later@example.org")
    (folders.AUDIO_DIR / "sound.flac").unlink()
    (folders.DATA_DIR / "secret_key").write_text("another key")
    call_command("restore", str(path), "--replace")
    assert rows() == before
    assert [tag.name for tag in Session.objects.get().tags.all()] == ["meetings"]
    assert (folders.AUDIO_DIR / "sound.flac").read_bytes() == b"sound"
    assert (folders.DATA_DIR / "secret_key").read_text() == "the key"
    said(User.objects.get(), "what comes later gets numbers of its own")


def test_a_site_moves_to_postgresql(made, postgres_url):
    path, before = made
    with default_database(postgres_url):
        call_command("restore", str(path))
        assert rows() == before
        said(User.objects.get(email=EMAIL), "what comes later gets numbers of its own")
        backups.back_up(path.parent / "again")


def test_what_is_there_is_not_overwritten_unasked(made):
    path, before = made
    with pytest.raises(CommandError, match="The database has something in it"):
        call_command("restore", str(path))
    assert rows() == before


def test_a_backup_that_is_cut_off_changes_nothing(made):
    path, before = made
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(CommandError, match="is no whole backup"):
        call_command("restore", str(path), "--replace")
    assert rows() == before


def test_one_of_other_tables_is_refused(made, monkeypatch):
    path, _ = made
    monkeypatch.setattr(backups, "_migrations", lambda: ["speech.9999_later"])
    with pytest.raises(CommandError, match="Restore it with that version"):
        call_command("restore", str(path), "--replace")


def test_the_oldest_are_forgotten(db, folders, tmp_path):
    for day in range(1, 5):
        (tmp_path / f"speech-2026010{day}-000000.tar").touch()
    call_command("backup", str(tmp_path), "--keep", "2")
    names = sorted(path.name for path in tmp_path.glob("*.tar"))
    assert names[0] == "speech-20260104-000000.tar"
    assert len(names) == 2


def test_all_that_is_in_it_is_named(made):
    with tarfile.open(made[0]) as tar:
        assert {"manifest.json", "rows.jsonl.gz", "keys/secret_key", "audio/sound.flac"} <= set(tar.getnames())
