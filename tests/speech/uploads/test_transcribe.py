"""`manage.py transcribe` uploads local recordings to the running site."""

import re

import pytest
from django.core.management import CommandError, call_command

from speech.models import Upload
from speech.uploads import service
from tests.support.clients.api import wav_of
from tests.support.speech.checksum_audio import noise, words_of
from tests.support.speech.sessions import create_user

EMAIL = "sender@example.org"
TRANSCRIBE = f"""
import sys
from django.core.management import call_command
call_command("transcribe", {{!r}}, {{!r}}, account="{EMAIL}", stderr=sys.stdout)
"""


def test_a_folder_of_recordings_becomes_sessions_and_transcripts(site, sender, tmp_path):
    recordings = {"first": noise(50, seed=21), "second": noise(75, seed=22)}
    for name, pcm in recordings.items():
        (tmp_path / f"{name}.wav").write_bytes(wav_of(pcm))
    (tmp_path / "notes.txt").write_text("No recording.")
    output = site.manage("transcribe", str(tmp_path), "--account", EMAIL, "--format", "txt")
    assert output.count(f"{site.url}/sessions/") == 2
    for name, pcm in recordings.items():
        transcript = (tmp_path / f"{name}.txt").read_text()
        assert [word for word in transcript.split() if word.startswith("w")] == words_of(pcm)


def test_errors_are_reported_for_each_file(site, sender, tmp_path):
    (tmp_path / "letter.wav").write_bytes(b"Dear reader, this is no recording.")
    (tmp_path / "empty.wav").touch()
    with pytest.raises(AssertionError) as failed:
        site.shell(TRANSCRIBE.format(str(tmp_path), str(tmp_path / "none.wav")))
    output = str(failed.value)
    assert re.search(r"letter\.wav: The file isn't a recording", output)
    assert re.search(r"empty\.wav: The file is empty", output)
    assert re.search(r"none\.wav: .*No such file", output)
    assert "3 recordings couldn't be transcribed" in output


@pytest.mark.parametrize("error", [OSError(5, "Input/output error"), None])
def test_nothing_is_left_of_a_file_that_cannot_be_read_to_its_end(db, settings, tmp_path, monkeypatch, error, capsys):
    settings.DATA_DIR = tmp_path / "data"
    (tmp_path / "talk.wav").write_bytes(wav_of(noise(1)))

    def add_part(*_):
        if error:
            raise error

    monkeypatch.setattr(service, "add_part", add_part)  # by default it stores nothing, as at the end of the file
    account = create_user().email
    with pytest.raises(CommandError, match="1 recordings"):
        call_command("transcribe", str(tmp_path / "talk.wav"), account=account)
    why = "Input/output error" if error else "it became shorter"
    assert f"Can't read it: {why}" in capsys.readouterr().err
    assert not Upload.objects.exists()
    assert list((tmp_path / "data/uploads").iterdir()) == []


def test_an_account_is_required(db, tmp_path):
    with pytest.raises(CommandError, match="No account unknown@"):
        call_command("transcribe", str(tmp_path), account="unknown@example.org")
