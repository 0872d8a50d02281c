"""`manage.py transcribe` hands recordings on this machine to the site that runs."""

import re

import pytest

from tests.support.clients.api import wav_of
from tests.support.speech.checksum_audio import noise, words_of

EMAIL = "sender@example.org"


def test_a_folder_of_recordings_becomes_sessions_and_transcripts(site, sender, tmp_path):
    sounds = {"first": noise(50, seed=21), "second": noise(75, seed=22)}
    for name, pcm in sounds.items():
        (tmp_path / f"{name}.wav").write_bytes(wav_of(pcm))
    (tmp_path / "notes.txt").write_text("No recording.")
    told = site.manage("transcribe", str(tmp_path), "--account", EMAIL, "--format", "txt")
    assert told.count(f"{site.url}/sessions/") == 2
    for name, pcm in sounds.items():
        transcript = (tmp_path / f"{name}.txt").read_text()
        assert [word for word in transcript.split() if word.startswith("w")] == words_of(pcm)


def test_what_cannot_be_transcribed_is_told_file_by_file(site, sender, tmp_path):
    (tmp_path / "letter.wav").write_bytes(b"Dear reader, this is no recording.")
    (tmp_path / "empty.wav").touch()
    with pytest.raises(AssertionError) as failed:
        site.manage("transcribe", str(tmp_path), str(tmp_path / "none.wav"), "--account", EMAIL)
    told = str(failed.value)
    assert re.search(r"letter\.wav: The file could not be read", told)
    assert re.search(r"empty\.wav: The file is empty", told)
    assert re.search(r"none\.wav: .*No such file", told)
    assert "3 of the recordings could not be transcribed" in told


def test_it_needs_an_account(site, tmp_path):
    with pytest.raises(AssertionError, match="There is no account nobody@"):
        site.manage("transcribe", str(tmp_path), "--account", "nobody@example.org")
