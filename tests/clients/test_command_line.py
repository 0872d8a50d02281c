"""`dsm.py` against a running site."""

import json
import os
import re
import subprocess
import sys

import pytest
import soundfile

from tests.support.clients.api import wav_of
from tests.support.clients.tokens import issue_token
from tests.support.environment import ROOT
from tests.support.servers.ports import free_port
from tests.support.speech.checksum_audio import noise, words_of
from tests.support.speech.words import word_error_rate

pytestmark = pytest.mark.slow

SECRET = "a secret that the operator knows, and is long enough"
TEXT = "good morning everybody the meeting begins in the small room at the end of the hall"


def dsm(site_url, *arguments, **env):
    clean = {name: value for name, value in os.environ.items() if not name.startswith("DSM_")}
    return subprocess.run(
        [sys.executable, ROOT / "dsm.py", *map(str, arguments)],
        env={**clean, "DSM_URL": site_url, **env},
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_spoken_text_is_transcribed_and_a_session_exported(start_site, tmp_path):
    site = start_site(JWT_SECRET=SECRET, TTS_ENGINE="piper")
    token = issue_token(site)
    say = dsm(site.url, "say", TEXT, "-o", tmp_path / "speech.wav", DSM_TOKEN=token)
    assert say.returncode == 0, say.stderr

    words = dsm(site.url, "file", tmp_path / "speech.wav", "--format", "words", DSM_TOKEN=token)
    lines = re.findall(r"^ *(\d+\.\d\d) +(\d+\.\d\d)  (.+)$", words.stdout, re.M)
    assert word_error_rate(TEXT, " ".join(text for _, _, text in lines)) < 0.3
    assert all(float(start) < float(end) for start, end, _ in lines)

    operator = {"JWT_SECRET": SECRET, "DSM_USER": "speaker@example.org"}  # signs a token itself
    srt = dsm(site.url, "file", tmp_path / "speech.wav", "--format", "srt", "--rtf", "20", "--keep", **operator)
    assert re.match(r"1\n00:00:0\d,\d{3} --> 00:00:0\d,\d{3}\n\w+", srt.stdout), srt.stdout + srt.stderr
    transcript = json.loads(dsm(site.url, "file", tmp_path / "speech.wav", "--format", "json", DSM_TOKEN=token).stdout)
    assert transcript["text"] == " ".join(word["text"] for word in transcript["words"])

    assert re.search(r"^\S+ +en", dsm(site.url, "voices", DSM_TOKEN=token).stdout, re.M)
    listed = dsm(site.url, "sessions", DSM_TOKEN=token).stdout
    exported = dsm(site.url, "export", listed.split()[0], "--format", "txt", DSM_TOKEN=token)
    assert word_error_rate(TEXT, exported.stdout) < 0.6, listed + exported.stdout + exported.stderr

    for arguments, message in (
        (("file", tmp_path / "speech.wav", "--format", "text"), "rejected the token"),
        (("voices",), "rejected the token"),
        (("file", tmp_path / "nothing.wav"), "file not found"),
        (("file", ROOT / "README.md"), "Can't read"),
    ):
        assert_failed(dsm(site.url, *arguments, DSM_TOKEN="wrong"), message)
    assert_failed(dsm(site.url, "say", "hello", "-o", tmp_path / "x.wav"), "requires a token. Set DSM_TOKEN to one")
    assert not list(tmp_path.glob("x.wav*"))


def test_an_unreachable_server(tmp_path):
    url = f"http://127.0.0.1:{free_port()}"
    for arguments in (("voices",), ("say", "hello", "-o", tmp_path / "x.wav")):
        assert_failed(dsm(url, *arguments, DSM_TOKEN="any"), "No response from")


@pytest.mark.parametrize("arguments", [("--help",), ("file", "--help")])
def test_help(arguments):
    assert "srt" in dsm("", *arguments).stdout


def assert_failed(done, message):
    assert done.returncode == 1
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("dsm: ")


INTERRUPT = """
import hashlib, io, pathlib
from speech.models import Upload
from speech.models.upload import ABANDONED_AFTER
from speech.uploads import service
first, data = Upload.objects.get(), pathlib.Path({path!r}).read_bytes()
options = dict(engine="", language="", audio=False, multichannel=False)
upload = service.create_upload(
    first.owner, "talk.wav", len(data), **options, fingerprint=hashlib.sha256(data).hexdigest(), client="another")
service.add_part(upload, "0", 1000, io.BytesIO(data[:1000]))
Upload.objects.filter(pk=upload.pk).update(seen_at=upload.seen_at - ABANDONED_AFTER)
"""
"""Begin to upload the file of the only upload again, and stop for a minute."""


def test_a_folder_is_uploaded_and_transcripts_are_written_next_to_it(start_site, tmp_path):
    site = start_site(STT_ENGINE="checksum")
    token = issue_token(site)
    (tmp_path / "talk.wav").write_bytes(wav_of(noise(100)))
    (tmp_path / "notes.txt").write_text("No recording.")
    done = dsm(site.url, "upload", tmp_path, "--format", "srt", DSM_TOKEN=token)
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(rf"[0-9a-f-]{{36}}  {tmp_path}/talk\.wav\n", done.stdout)
    transcript = (tmp_path / "talk.srt").read_text()
    assert all(word in transcript for word in words_of(noise(100)))

    site.shell(INTERRUPT.format(path=str(tmp_path / "talk.wav")))
    assert dsm(site.url, "upload", tmp_path / "talk.wav", DSM_TOKEN=token).returncode == 0
    states = site.shell("from speech.models import Upload; print(*Upload.objects.values_list('state', flat=True))")
    assert states == "done done"  # it was resumed

    (tmp_path / "letter.mp3").write_text("Dear reader, this is no recording.")
    done = dsm(site.url, "upload", tmp_path / "letter.mp3", tmp_path / "none.mp3", DSM_TOKEN=token)
    assert done.returncode == 1
    assert "letter.mp3: The file isn't a recording." in done.stderr
    assert "none.mp3: No such file" in done.stderr
    done = dsm(site.url, "upload", tmp_path / "talk.wav", "--language", "tlh", DSM_TOKEN=token)
    assert "No engine supports the language “tlh”." in done.stderr


FAKE_SOUNDDEVICE = """
import os, signal, threading, time
import numpy as np


class PortAudioError(Exception):
    pass


class InputStream:
    def __init__(self, rate, size, callback, **options):
        self.callback, self.size = callback, size

    def __enter__(self):
        threading.Thread(target=self.run, daemon=True).start()

    def __exit__(self, *args):
        pass

    def run(self):
        pcm = np.frombuffer(open(os.environ["INPUT_PCM"], "rb").read(), "<i2").astype(np.float32)[:, None] / 32768
        for start in range(0, len(pcm), self.size):
            self.callback(pcm[start : start + self.size], self.size, None, None)
        time.sleep(0.5)  # the callbacks reach the event loop
        os.kill(os.getpid(), signal.SIGINT)
"""
"""A microphone that hears a file, after which the user presses Ctrl-C."""


@pytest.mark.parametrize("format", ["text", "vtt"])
def test_ctrl_c_ends_the_recording_and_the_last_words_arrive(checksum_site, tmp_path, format):
    pcm = noise(50)
    (tmp_path / "speech.raw").write_bytes(pcm)
    (tmp_path / "sounddevice.py").write_text(FAKE_SOUNDDEVICE)
    env = {
        "PYTHONPATH": str(tmp_path),
        "INPUT_PCM": str(tmp_path / "speech.raw"),
        "DSM_TOKEN": issue_token(checksum_site),
    }
    done = dsm(checksum_site.url, "mic", "--language", "en", "--format", format, **env)
    assert done.returncode == 0, done.stderr
    assert [word for word in done.stdout.split() if word in words_of(pcm)] == words_of(pcm)
    assert done.stdout.startswith("WEBVTT\n\n00:00:0") == (format == "vtt")


def test_the_engine_and_the_language_are_those_of_the_options(checksum_site, tmp_path):
    token = issue_token(checksum_site)
    (tmp_path / "speech.wav").write_bytes(wav_of(noise(20)))
    for option, value in (("--language", "tlh"), ("--engine", "no-such-engine")):
        done = dsm(checksum_site.url, "file", tmp_path / "speech.wav", option, value, DSM_TOKEN=token)
        assert_failed(done, value)


def test_speech_is_written_in_the_format_of_the_suffix(checksum_site, tmp_path):
    out = tmp_path / "speech.mp3"
    done = dsm(checksum_site.url, "say", "hello", "-o", out, DSM_TOKEN=issue_token(checksum_site))
    assert done.returncode == 0, done.stderr
    assert soundfile.info(out).format == "MP3"
