"""The examples of docs/api.md, unchanged."""

import os
import re
import subprocess
import sys

import pytest

from tests.support.clients.api import access_to, wav_of
from tests.support.environment import ROOT
from tests.support.speech.checksum_audio import noise, words_of

pytestmark = pytest.mark.slow

EXAMPLES = re.findall(r"^```(python|sh)\n(.*?)^```", (ROOT / "docs/api.md").read_text(), re.MULTILINE | re.DOTALL)


def test_every_example_runs(start_site, tmp_path):
    site = start_site(STT_ENGINE="checksum", TTS_ENGINE="tones")
    access = access_to(site)
    site.shell("from tests.api.sample_data import create_session; create_session('program@example.org')")
    pcm = noise(20)
    (tmp_path / "speech.wav").write_bytes(wav_of(pcm))
    env = {**os.environ, "DSM_URL": access.url, "DSM_TOKEN": access.token}
    printed = []
    for language, code in EXAMPLES:
        command = [sys.executable, "-c", code] if language == "python" else ["sh", "-ec", code]
        done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, f"{code}\n{done.stdout}{done.stderr}"
        printed.append(done.stdout)
    text = " ".join(words_of(pcm))
    assert text in printed[0]
    assert (tmp_path / "hello.mp3").stat().st_size > 1_000
    assert text in printed[1]
    assert '"hello"' in printed[2]
    assert '"checksum"' in printed[2]
    assert text in " ".join(printed[3].split())
