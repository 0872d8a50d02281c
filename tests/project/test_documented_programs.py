"""The commands and programs of the documentation, run unchanged against a running site."""

import re
import sys
from collections.abc import Iterator

import pytest

from tests.project.documents import block
from tests.project.reader import PCM, Results, running
from tests.support.clients.api import Access, access_to
from tests.support.environment import ROOT
from tests.support.servers.site import Site
from tests.support.speech.checksum_audio import words_of

ACCOUNT = "ada@example.org"
SHELL = ["sh", "-ec"]

COMMANDS = [
    ("README.md", "make serve"),
    ("README.md", "make test"),
    ("README.md", "export DSM_URL=http://127.0.0.1:8000 DSM_TOKEN=dsm_…"),
    ("docs/clients.md", "export DSM_URL=http://127.0.0.1:8000 DSM_TOKEN=dsm_…"),
    ("docs/uploads.md", "uv run dsm.py upload talks/ --format srt"),
    ("docs/engines.md", "STT_ENGINE=stt-1b-en_fr make serve"),
    ("docs/engines.md", ".venv/bin/python manage.py inference --gpus all --preset stt-1b-en_fr"),
    ("docs/engines.md", "make gpu-check"),
    ("docs/engines.md", "STT_ENGINE=moonshine,whisper-base make serve"),
    ("docs/voices.md", "TTS_ENGINE=piper,espeak,pocket-tts-en make serve"),
    ("docs/voices.md", "TTS_ENGINE=piper,espeak,tts-1.6b-en_fr make serve"),
    ("docs/voices.md", ".venv/bin/python manage.py voices --published fr"),
    ("docs/operations.md", "sudo deploy/install.sh"),
    ("docs/operations.md", "docker compose up -d --build"),
    ("docs/operations.md", "git pull && sudo deploy/install.sh"),
    ("docs/operations.md", ".venv/bin/python manage.py backup /srv/backups --keep 7"),
]
"""Blocks of commands, one a line."""
NOT_RUN = {
    r"export .*": "the tests set these variables",
    r"make test": "CI runs it on every push",
    r"make gpu-check": "needs a GPU; tests/inference/engines/test_moshi_gpu_check.py rehearses it",
    r"(\w+=\S+ )?make serve": "installs packages; all tests of a site run `manage.py serve` with the same settings",
    r".*manage.py inference --gpus .*": "needs a GPU; tests/inference/management runs it with two CPUs",
    r".*manage.py voices .*": "needs the internet; tests/inference/engines/tts/test_piper_voices.py tests it without",
    r".*manage.py transcribe .*": "tests/speech/uploads/test_transcribe.py runs it",
    r".*manage.py (backup|restore) .*": "tests/operations/test_backups.py runs them",
    r"docker compose .*": "needs Docker; tests/operations/test_deployment.py checks the files",
    r"(git pull && )?sudo deploy/install.sh": "installs services; tests/operations/test_deployment.py checks them",
    r"uv run dsm.py mic .*": "needs a microphone; tests/clients tests it with a stand-in",
}
"""Commands that aren't run, with the reasons."""
API_PROGRAMS = {
    ("docs/api.md", "import os, openai"): [sys.executable, "-c"],
    ("docs/api.md", "import os"): [sys.executable, "-c"],
    (
        "docs/api.md",
        'curl --fail --silent -H "Authorization: Bearer $DSM_TOKEN" "$DSM_URL/api/v1/sessions/?q=hello"',
    ): SHELL,
    ("docs/api.md", 'request() { curl --fail --silent -H "Authorization: Bearer $DSM_TOKEN" "$@"; }'): SHELL,
}
"""Blocks that are one program each, and what runs it."""
EXAMPLES = {
    (
        "docs/clients.md",
        "# pip install websockets; DSM_TOKEN=… python transcribe.py speech.wav   (mono, 16 bit)",
    ): [sys.executable, "transcribe.py", "speech.wav"],
    (
        "docs/clients.md",
        "// Node 22, Deno, Bun, browsers: DSM_TOKEN=… node transcribe.mjs speech.raw   (16 kHz, mono, 16 bit)",
    ): ["node", "--experimental-websocket", "transcribe.mjs", "speech.raw"],
    (
        "docs/clients.md",
        "# DSM_TOKEN=… sh transcribe.sh speech.mp3   (subtitles of a whole file, in any format that FFmpeg reads)",
    ): ["sh", "transcribe.sh", "speech.wav"],
}
"""Blocks that are files of docs/examples, and how to run them."""


def is_run(command: str) -> bool:
    return not any(re.fullmatch(pattern, command) for pattern in NOT_RUN)


RUN = sorted({command for listed in COMMANDS for command in block(*listed).commands if is_run(command)})


@pytest.fixture(scope="module")
def access(checksum_site: Site) -> Access:
    return access_to(checksum_site, ACCOUNT)


@pytest.fixture(scope="module")
def results(access: Access, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Results]:
    access.site.shell(f"from tests.api.sample_data import create_session; create_session({ACCOUNT!r})")
    of_account = f"Session.objects.get(owner__email={ACCOUNT!r}).pk"
    session = access.site.shell(f"from speech.models import Session; print({of_account})")
    programs = [(block(*listed).text, [*command, block(*listed).text]) for listed, command in API_PROGRAMS.items()]
    programs += [(block(*listed).text, command) for listed, command in EXAMPLES.items()]
    programs += [(line, [*SHELL, line.replace("export ID", f"export {session}")]) for line in RUN]
    with running(programs, access, tmp_path_factory.mktemp("reader")) as results:
        yield results


@pytest.mark.parametrize("command", RUN)
def test_commands(results, command):
    done = results[command]
    if " upload " in command:
        assert "talk.wav" in done.output
    elif " file " in command:
        printed = (done.folder / "talk.srt").read_text() if ">" in command else done.output
        assert all(word in printed for word in words_of(PCM))
    elif " say " in command:
        assert next(done.folder.glob("morning.*")).stat().st_size > 1_000
    elif " export " in command:
        assert "hello" in done.output
    else:
        assert done.output


def test_uploads_write_transcripts(results):
    (command,) = (command for command in RUN if "dsm.py upload" in command)
    transcript = (results[command].folder / "talks/talk.srt").read_text()
    assert all(word in transcript for word in words_of(PCM))


def test_programs_for_the_api(results):
    openai, deepgram, requests, upload = (results[block(*listed).text] for listed in API_PROGRAMS)
    text = " ".join(words_of(PCM))
    assert text in openai.output
    assert (openai.folder / "hello.mp3").stat().st_size > 1_000
    assert text in deepgram.output
    assert '"hello"' in requests.output
    assert '"checksum"' in requests.output
    assert text in " ".join(upload.output.split())


@pytest.mark.parametrize("listed", EXAMPLES, ids=[command[-2] for command in EXAMPLES.values()])
def test_examples(results, listed):
    text = block(*listed).text
    file = EXAMPLES[listed][-2]
    assert text == (ROOT / "docs/examples" / file).read_text()
    output = results[text].output
    if file == "transcribe.mjs":  # it takes these samples for 16 kHz, which makes other words of them
        assert re.search(r"^\d.* w[0-9a-f]{8}$", output, re.MULTILINE)
    else:
        assert all(word in output for word in words_of(PCM))
