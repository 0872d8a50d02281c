"""Kyutai's own clients, unmodified (tests/vendor), against the site."""

import os
import re
import subprocess
import sys
import threading
import wave

import pytest

from tests.clients.conftest import SENTENCE
from tests.support.clients import third_party
from tests.support.clients.api import wav_of
from tests.support.clients.http import request
from tests.support.clients.third_party import Client
from tests.support.clients.tokens import issue_token
from tests.support.environment import ROOT
from tests.support.speech.checksum_audio import noise, words_of
from tests.support.speech.words import word_error_rate

SCRIPTS_CLIENT = Client("Kyutai's scripts", "GitHub: delayed-streams-modeling", "Kyutai", lambda: "commit f6074cb")
UNMUTE_CLIENT = Client("Unmute", "GitHub: unmute", "Kyutai", lambda: "commit 84aa28d")
TEXT = "good morning everybody the meeting begins in the small room at the end of the hall"
SCRIPTS = ROOT / "tests/vendor/delayed-streams-modeling"
UNMUTE = ROOT / "tests/vendor/unmute"


def run(script, site, *arguments, token, within=120, stdin="", **env):
    """Run a client; assert that it succeeds and return what it printed."""
    done = subprocess.run(
        [sys.executable, SCRIPTS / script, *map(str, arguments), "--url", ws(site), "--api-key", token],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=within,
        env={**os.environ, **env},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def ws(site):
    return site.url.replace("http", "ws")


@pytest.mark.slow
@pytest.mark.client(SCRIPTS_CLIENT, "recordings")
def test_kyutais_script_transcribes_a_file_with_times(site, speech):
    printed = run("stt_from_file_rust_server.py", site, speech.wav(24_000), "--rtf", "1000", token=issue_token(site))
    words, _, lines = printed.partition("\n\n")
    assert word_error_rate(speech.text, words) < 0.3
    times = [(float(start), float(end)) for start, end in re.findall(r"^ *(\d+\.\d\d) - *(\d+\.\d\d)  ", lines, re.M)]
    assert len(times) == len(words.split())
    assert all(start < end < 55 for start, end in times)
    assert times == sorted(times)


def test_kyutais_script_transcribes_every_sample(checksum_site, checksum_token, tmp_path):
    pcm = noise(50)
    (tmp_path / "noise.wav").write_bytes(wav_of(pcm))
    script = "stt_from_file_rust_server.py"
    printed = run(script, checksum_site, tmp_path / "noise.wav", "--rtf", "1000", token=checksum_token)
    words = words_of(bytes(2 * 24_000) + pcm)[:-1]  # after a second of silence; in the last one more silence follows
    assert printed.partition("\n\n")[0].split()[: len(words)] == words


@pytest.mark.slow
def test_kyutais_script_is_rejected_with_a_wrong_key(site, speech):
    with pytest.raises(AssertionError, match=r"InvalidStatus.*HTTP 401"):
        run("stt_from_file_rust_server.py", site, speech.wav(24_000), token="wrong")


@pytest.mark.slow
@pytest.mark.client(SCRIPTS_CLIENT, "synthesis")
def test_kyutais_script_speaks_a_text_that_is_transcribed_again(start_site, tmp_path):
    site = start_site(TTS_ENGINE="piper")
    token, out = issue_token(site), tmp_path / "out.wav"
    (tmp_path / "sounddevice.py").touch()  # not used here, but imported
    (tmp_path / "text.txt").write_text(f"{TEXT}\n")
    printed = run("tts_rust_server.py", site, tmp_path / "text.txt", out, token=token, PYTHONPATH=str(tmp_path))
    assert "End of audio." in printed
    messages = request(site, "/api/asr-streaming", out.read_bytes(), kyutai_api_key=token).json
    assert word_error_rate(TEXT, " ".join(word["text"] for word in messages if word["type"] == "Word")) < 0.3


FAKE_SOUNDDEVICE = '''
"""A fake sounddevice whose microphone plays a file in real time."""
import os, threading, time, wave
import numpy as np


class InputStream:
    def __init__(self, callback, blocksize, **options):
        self.callback, self.size = callback, blocksize

    def __enter__(self):
        threading.Thread(target=self.run, daemon=True).start()

    def __exit__(self, *args):
        pass

    def run(self):
        with wave.open(os.environ["INPUT_WAV"]) as file:
            while pcm := file.readframes(self.size):
                self.callback(np.frombuffer(pcm, "<i2").astype(np.float32)[:, None] / 32768, self.size, None, None)
                time.sleep(self.size / 24_000)
        while True:
            self.callback(np.zeros((self.size, 1), np.float32), self.size, None, None)
            time.sleep(self.size / 24_000)
'''


@pytest.mark.slow
@pytest.mark.client(SCRIPTS_CLIENT, "live speech")
def test_kyutais_script_transcribes_a_microphone_and_shows_pauses(site, tmp_path, speech):
    with wave.open(str(tmp_path / "short.wav"), "wb") as short:
        short.setparams((1, 2, 24_000, 0, "NONE", ""))
        short.writeframes(speech.samples(24_000)[: 4 * 24_000].tobytes())
    (tmp_path / "sounddevice.py").write_text(FAKE_SOUNDDEVICE)
    command = [sys.executable, "-u", SCRIPTS / "stt_from_mic_rust_server.py", "--show-vad"]
    env = {**os.environ, "PYTHONPATH": str(tmp_path), "INPUT_WAV": str(tmp_path / "short.wav")}
    client = subprocess.Popen(
        [*command, "--url", ws(site), "--api-key", issue_token(site)], env=env, stdout=subprocess.PIPE, text=True
    )
    timeout = threading.Timer(60, client.kill)
    timeout.start()
    printed = ""
    while "|" not in printed and (character := client.stdout.read(1)):
        printed += character
    timeout.cancel()
    client.kill()
    client.wait()
    assert re.search(r"Starting the transcription\s+\w+ .*\| ?$", printed), printed


def unmute(url, *arguments):
    """Run Unmute's classes, which send Kyutai's default token."""
    ws = url.replace("http", "ws")
    env = {"PYTHONPATH": str(UNMUTE), "KYUTAI_STT_URL": ws, "KYUTAI_TTS_URL": ws}
    return third_party.run("unmute_services.py", *arguments, **env)


@pytest.mark.slow
@pytest.mark.client(UNMUTE_CLIENT, "live speech")
def test_unmutes_backend_transcribes_and_notices_the_pause(transcribes):
    transcribes(lambda url, token, recording: unmute(url, recording))


@pytest.mark.slow
@pytest.mark.client(UNMUTE_CLIENT, "synthesis")
def test_unmutes_backend_speaks_and_gets_the_time_of_each_word(speaks):
    speaks(lambda url, token, speech: unmute(url, speech, SENTENCE))
