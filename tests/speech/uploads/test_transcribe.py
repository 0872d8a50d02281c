"""`manage.py transcribe` uploads local recordings to the running site."""

import re

import pytest

from tests.support.clients.api import wav_of
from tests.support.speech.checksum_audio import noise, words_of

EMAIL = "sender@example.org"


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
        site.manage("transcribe", str(tmp_path), str(tmp_path / "none.wav"), "--account", EMAIL)
    output = str(failed.value)
    assert re.search(r"letter\.wav: Couldn't read the file", output)
    assert re.search(r"empty\.wav: The file is empty", output)
    assert re.search(r"none\.wav: .*No such file", output)
    assert "3 recordings couldn't be transcribed" in output


def test_an_account_is_required(site, tmp_path):
    with pytest.raises(AssertionError, match="No account unknown@"):
        site.manage("transcribe", str(tmp_path), "--account", "unknown@example.org")
