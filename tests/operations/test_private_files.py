"""Other users of the machine can't read the site's files: new ones, and those of earlier versions."""

import logging
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import call_command

from operations import backups
from operations.private_files import make_private
from tests.support.environment import ROOT, without_own_settings


def mode(path: Path) -> str:
    return f"{path.stat().st_mode & 0o777:03o}"


def file(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("private")
    path.chmod(0o644)
    return path


def test_commands_create_files_that_only_their_owner_can_read(tmp_path):
    data = tmp_path / "data"
    done = subprocess.run(
        [sys.executable, "manage.py", "migrate", "accounts", "0001", "-v", "0"],
        cwd=ROOT,
        env=without_own_settings() | {"DATA_DIR": str(data)},
        umask=0o022,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert mode(data) == "700"
    assert {path.name: mode(path) for path in data.iterdir()} == {"db.sqlite3": "600", "secret_key": "600"}


def test_existing_files_become_private(tmp_path):
    data, audio = tmp_path / "data", tmp_path / "elsewhere"
    names = ("db.sqlite3", "db.sqlite3-wal", "secret_key", "uploads/a/1", "backups/speech-20260101.tar", "notes.txt")
    files = {name: file(data / name) for name in names} | {"audio": file(audio / "1.flac")}
    make_private(data, audio)
    others = {"notes.txt": "644"}
    assert {name: mode(path) for name, path in files.items()} == dict.fromkeys(files, "600") | others
    assert {mode(path) for path in (data / "uploads", data / "uploads/a", data / "backups", audio)} == {"700"}


def test_a_private_folder_is_not_read_again(tmp_path):
    recording = file(tmp_path / "audio/1.flac")
    (tmp_path / "audio").chmod(0o700)
    make_private(tmp_path, tmp_path / "audio")
    assert mode(recording) == "644"  # no other user can open the folder


def test_a_link_in_a_folder_changes_nothing_elsewhere(tmp_path):
    outside = file(tmp_path / "outside.txt")
    file(tmp_path / "data/audio/1.flac").with_name("link").symlink_to(outside)
    make_private(tmp_path / "data", tmp_path / "data/audio")
    assert mode(outside) == "644"


def test_files_of_another_account_are_reported(tmp_path, monkeypatch, caplog):
    file(tmp_path / "db.sqlite3")

    def chmod(path, mode):
        raise PermissionError

    monkeypatch.setattr(Path, "chmod", chmod)
    with caplog.at_level(logging.WARNING):
        make_private(tmp_path, tmp_path / "audio")
    assert "db.sqlite3 may be readable by others" in caplog.text


@pytest.mark.parametrize("name", ["audio/session.flac", "secret_key"])
def test_restored_files_are_private_whatever_the_backup_says(name, db, settings, tmp_path):
    settings.DATA_DIR, settings.AUDIO_DIR = tmp_path / "data", tmp_path / "data/audio"
    restored = file(settings.DATA_DIR / name)
    path = backups.back_up(tmp_path / "backups")
    restored.unlink()
    settings.AUDIO_DIR.mkdir(exist_ok=True)
    call_command("restore", str(path), "--replace")
    assert mode(restored) == "600"


def test_units_have_the_umask():
    units = [path.read_text() for path in (ROOT / "deploy/systemd").glob("*.service")]
    assert units
    assert all("\nUMask=0077\n" in unit for unit in units)
