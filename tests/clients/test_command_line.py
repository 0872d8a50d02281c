"""`dsm.py` against the site as it starts from a clone."""

import json
import os
import re
import subprocess
import sys

import pytest

from tests.support.clients.api import wav_of
from tests.support.clients.tokens import issue_token
from tests.support.environment import ROOT
from tests.support.servers.ports import free_port
from tests.support.speech.checksum_audio import noise, words_of
from tests.support.speech.words import word_error_rate

pytestmark = pytest.mark.slow

SECRET = "a secret that the operator knows, and is long enough"
SAID = "good morning everybody the meeting begins in the small room at the end of the hall"


def dsm(site_url, *arguments, **env):
    clean = {name: value for name, value in os.environ.items() if not name.startswith("DSM_")}
    return subprocess.run(
        [sys.executable, ROOT / "dsm.py", *map(str, arguments)],
        env={**clean, "DSM_URL": site_url, **env},
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_what_is_said_is_read_back_and_a_session_is_taken_along(start_site, tmp_path):
    site = start_site(JWT_SECRET=SECRET, TTS_ENGINE="piper")
    token = issue_token(site)
    said = dsm(site.url, "say", SAID, "-o", tmp_path / "said.wav", DSM_TOKEN=token)
    assert said.returncode == 0, said.stderr

    words = dsm(site.url, "file", tmp_path / "said.wav", "--format", "words", DSM_TOKEN=token)
    lines = re.findall(r"^ *(\d+\.\d\d) +(\d+\.\d\d)  (.+)$", words.stdout, re.M)
    assert word_error_rate(SAID, " ".join(text for _, _, text in lines)) < 0.3
    assert all(float(start) < float(end) for start, end, _ in lines)

    made = {"JWT_SECRET": SECRET, "DSM_USER": "speaker@example.org"}  # the operator needs no token
    srt = dsm(site.url, "file", tmp_path / "said.wav", "--format", "srt", "--rtf", "20", "--keep", **made)
    assert re.match(r"1\n00:00:0\d,\d{3} --> 00:00:0\d,\d{3}\n\w+", srt.stdout), srt.stdout + srt.stderr
    told = json.loads(dsm(site.url, "file", tmp_path / "said.wav", "--format", "json", DSM_TOKEN=token).stdout)
    assert told["text"] == " ".join(word["text"] for word in told["words"])

    assert re.search(r"^\S+ +en", dsm(site.url, "voices", DSM_TOKEN=token).stdout, re.M)
    if (ROOT / "rest").exists():  # a site without it lists nothing for programs
        listed = dsm(site.url, "sessions", DSM_TOKEN=token).stdout
        exported = dsm(site.url, "export", listed.split()[0], "--format", "txt", DSM_TOKEN=token)
        assert word_error_rate(SAID, exported.stdout) < 0.6, listed + exported.stdout + exported.stderr

    for arguments, what in (
        (("file", tmp_path / "said.wav", "--format", "text"), "refused the token"),
        (("voices",), "refused the token"),
        (("file", tmp_path / "nothing.wav"), "there is no such file"),
        (("file", ROOT / "README.md"), "cannot be read"),
    ):
        failed(dsm(site.url, *arguments, DSM_TOKEN="wrong"), what)
    failed(dsm(site.url, "say", "hello", "-o", tmp_path / "x.wav"), "DSM_TOKEN is not set")


def test_a_server_that_is_not_there(tmp_path):
    url = f"http://127.0.0.1:{free_port()}"
    for arguments in (("voices",), ("say", "hello", "-o", tmp_path / "x.wav")):
        failed(dsm(url, *arguments, DSM_TOKEN="any"), "does not answer")


@pytest.mark.parametrize("arguments", [("--help",), ("file", "--help")])
def test_it_says_what_it_can_do(arguments):
    assert "srt" in dsm("", *arguments).stdout


def failed(done, what):
    assert done.returncode == 1
    assert what in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("dsm: ")


def test_a_folder_becomes_sessions_with_a_transcript_beside_each(start_site, tmp_path):
    site = start_site(STT_ENGINE="checksum")
    token = issue_token(site)
    (tmp_path / "talk.wav").write_bytes(wav_of(noise(100)))
    (tmp_path / "notes.txt").write_text("No recording.")
    done = dsm(site.url, "upload", tmp_path, "--format", "srt", DSM_TOKEN=token)
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(rf"[0-9a-f-]{{36}}  {tmp_path}/talk\.wav\n", done.stdout)
    transcript = (tmp_path / "talk.srt").read_text()
    assert all(word in transcript for word in words_of(noise(100)))

    (tmp_path / "letter.mp3").write_text("Dear reader, this is no recording.")
    done = dsm(site.url, "upload", tmp_path / "letter.mp3", tmp_path / "none.mp3", DSM_TOKEN=token)
    assert done.returncode == 1
    assert "letter.mp3: The file could not be read as sound." in done.stderr
    assert "none.mp3: No such file" in done.stderr
    done = dsm(site.url, "upload", tmp_path / "talk.wav", "--language", "tlh", DSM_TOKEN=token)
    assert "No engine knows the language “tlh”." in done.stderr
