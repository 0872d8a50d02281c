"""Backups restore all data, also into another database engine."""

import tarfile
from io import BytesIO

import pytest
from django.core.management import CommandError, call_command

from accounts.models import Token, User
from accounts.scopes import scopes_of
from operations import backups
from speech.library.search import Query, find
from speech.models import Correction, Segment, Session, Tag, Word
from tests.support.servers.databases import default_database
from tests.support.speech.sessions import create_session

EMAIL = "ada@example.org"
MODELS = (User, Token, Session, Segment, Word, Tag, Correction)


@pytest.fixture
def folders(settings, tmp_path):
    """Folders of a site that saves audio."""
    settings.DATA_DIR = tmp_path / "data"
    settings.AUDIO_DIR = settings.DATA_DIR / "audio"
    settings.AUDIO_DIR.mkdir(parents=True)
    (settings.DATA_DIR / "secret_key").write_text("the key")
    (settings.AUDIO_DIR / "session.flac").write_bytes(b"audio")
    return settings


def fill():
    user = User.objects.create_superuser(EMAIL, "a passphrase that is hard to guess")
    Token.create(user, Token.Kind.API, "a program", scopes_of("stt"), None)
    session = create_session(user, "good morning", "the meeting begins in Gießen")
    session.tags.add(Tag.objects.create(owner=user, name="meetings"))
    Correction.rewrite(session.segments.first(), user, "Good morning!")


def rows():
    return {model.__name__: list(model._base_manager.order_by("pk").values()) for model in MODELS}


@pytest.fixture
def backup(db, folders, tmp_path):
    """A backup, and the rows in it."""
    fill()
    return backups.back_up(tmp_path / "backups"), rows()


def test_a_backup_is_private_and_leaves_no_temporary_files(backup):
    path, _ = backup
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(path.parent.iterdir()) == [path]


def test_restore_brings_back_deleted_data(backup, folders):
    path, before = backup
    Session.objects.all().delete()
    User.objects.create_user("later@example.org")
    (folders.AUDIO_DIR / "session.flac").unlink()
    (folders.DATA_DIR / "secret_key").write_text("another key")
    call_command("restore", str(path), "--replace")
    assert rows() == before
    assert [tag.name for tag in Session.objects.get().tags.all()] == ["meetings"]
    assert (folders.AUDIO_DIR / "session.flac").read_bytes() == b"audio"
    assert (folders.DATA_DIR / "secret_key").read_text() == "the key"
    create_session(User.objects.get(), "later rows get new ids")


def test_a_site_moves_to_postgresql(backup, postgres_url):
    path, before = backup
    with default_database(postgres_url):
        call_command("restore", str(path))
        assert rows() == before
        owner = User.objects.get(email=EMAIL)
        assert [found.text for found in find(Query("GIESSEN"), owner, Session.objects.all(), 10)]
        create_session(owner, "later rows get new ids")
        backups.back_up(path.parent / "again")


def test_a_database_with_data_needs_replace(backup):
    path, before = backup
    with pytest.raises(CommandError, match="The database isn't empty"):
        call_command("restore", str(path))
    assert rows() == before


def test_a_truncated_backup_changes_nothing(backup):
    path, before = backup
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(CommandError, match="isn't a valid backup"):
        call_command("restore", str(path), "--replace")
    assert rows() == before


@pytest.mark.parametrize("name", ["audio/../../evil.sh", "audio//etc/evil.sh"])
def test_a_file_outside_of_the_audio_folder_changes_nothing(backup, folders, tmp_path, name):
    path, _ = backup
    with tarfile.open(path, "a") as tar:
        entry = tarfile.TarInfo(name)
        entry.size = 4
        tar.addfile(entry, BytesIO(b"evil"))
    Session.objects.all().delete()
    with pytest.raises(backups.BackupError, match="is outside of its folder"):
        backups.restore(path, replace=True)
    assert not Session.objects.exists()
    assert not list(tmp_path.rglob("evil.sh"))


def test_links_in_a_backup_are_not_restored(backup, folders):
    path, before = backup
    with tarfile.open(path, "a") as tar:
        entry = tarfile.TarInfo("audio/link")
        entry.type, entry.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(entry)
    backups.restore(path, replace=True)
    assert rows() == before
    assert [each.name for each in folders.AUDIO_DIR.iterdir()] == ["session.flac"]


def test_a_backup_with_another_schema_is_rejected(backup, monkeypatch):
    path, _ = backup
    monkeypatch.setattr(backups, "_migrations", lambda: ["speech.9999_later"])
    with pytest.raises(CommandError, match="which has a different schema"):
        call_command("restore", str(path), "--replace")


def test_keep_deletes_the_oldest_backups(db, folders, tmp_path):
    for day in range(1, 5):
        (tmp_path / f"speech-2026010{day}-000000.tar").touch()
    call_command("backup", str(tmp_path), "--keep", "2")
    names = sorted(path.name for path in tmp_path.glob("*.tar"))
    assert names[0] == "speech-20260104-000000.tar"
    assert len(names) == 2


def test_the_archive_contains_rows_keys_and_audio(backup):
    with tarfile.open(backup[0]) as tar:
        assert {"manifest.json", "rows.jsonl.gz", "keys/secret_key", "audio/session.flac"} <= set(tar.getnames())
