"""The examples in docs/examples, run as a reader would."""

import os
import re
import subprocess
import sys
import wave

import pytest

from tests.support.clients.tokens import issue_token
from tests.support.environment import ROOT

pytestmark = pytest.mark.slow

EXAMPLES = ROOT / "docs/examples"


@pytest.fixture
def folder(speech, tmp_path):
    """Folder with the first six seconds of real speech, at 16 kHz: speech.wav and speech.raw."""
    pcm = speech.samples(16_000)[: 6 * 16_000]
    with wave.open(str(tmp_path / "speech.wav"), "wb") as wav:
        wav.setparams((1, 2, 16_000, 0, "NONE", ""))
        wav.writeframes(pcm.tobytes())
    (tmp_path / "speech.raw").write_bytes(pcm.tobytes())
    return tmp_path


def test_each_example_prints_the_words(site, folder):
    env = {**os.environ, "DSM_TOKEN": issue_token(site), "DSM_URL": site.url}
    commands = {
        "transcribe.py": [sys.executable, EXAMPLES / "transcribe.py", folder / "speech.wav"],
        "transcribe.mjs": ["node", "--experimental-websocket", EXAMPLES / "transcribe.mjs", folder / "speech.raw"],
    }
    for command in commands.values():
        done = subprocess.run(list(map(str, command)), env=env, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        assert len(re.findall(r"\d+\.\d+ +\d+\.\d+ +\w+", done.stdout)) > 8, done.stdout + done.stderr


def test_the_shell_example_prints_subtitles(site, folder):
    env = {**os.environ, "DSM_TOKEN": issue_token(site), "DSM_URL": site.url}
    command = ["sh", EXAMPLES / "transcribe.sh", folder / "speech.wav"]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.match(r"1\n00:00:0\d,\d{3} --> 00:00:0\d,\d{3}\n\w+", done.stdout), done.stdout
    assert len(done.stdout.split()) > 8


def test_the_guide_contains_the_examples_unchanged():
    guide = (ROOT / "docs/clients.md").read_text()
    for example in sorted(EXAMPLES.iterdir()):
        assert example.read_text().strip() in guide
