"""Clients of vosk-server, WhisperLive, WhisperLiveKit and the server of whisper.cpp."""

import shutil
from functools import partial
from pathlib import Path

import pytest

from tests.support.clients.third_party import Client, installed_apart, output, run

pytestmark = pytest.mark.slow

VOSK = Client("vosk-transcriber", "PyPI: vosk", "vosk-server", installed_apart("vosk"))
WHISPER_LIVE = Client("WhisperLive", "PyPI: whisper-live", "WhisperLive", installed_apart("whisper-live"))
WHISPER_LIVE_KIT = Client(
    "WhisperLiveKit's test client", "PyPI: whisperlivekit", "WhisperLiveKit", installed_apart("whisperlivekit")
)
OVOS = Client(
    "OpenVoiceOS", "PyPI: ovos-stt-plugin-whispercppserver", "whisper.cpp",
    installed_apart("ovos-stt-plugin-whispercppserver"),
)  # fmt: skip
CURL = Client("curl", "a system's package", "whisper.cpp", lambda: output(["curl", "--version"]).split()[1])


@pytest.fixture
def ffmpeg():
    """The program, with which some clients decode recordings."""
    if not shutil.which("ffmpeg"):
        pytest.skip("ffmpeg is not installed.")


@pytest.mark.client(VOSK, "recordings")
@pytest.mark.usefixtures("ffmpeg")
def test_vosk_transcriber(transcribes):
    transcribes(lambda *arguments: run("vosk_transcriber.py", *arguments).replace("\n", " "))


@pytest.mark.client(WHISPER_LIVE, "live speech")
def test_whisper_lives_streaming_client(transcribes):
    transcribes(lambda *arguments: _last_line(run("whisper_live_client.py", "stream", *arguments)))


@pytest.mark.client(WHISPER_LIVE, "recordings")
def test_whisper_live_writes_the_subtitles_of_a_file(transcribes):
    transcribes(
        lambda *arguments: _last_line(run("whisper_live_client.py", "file", *arguments)).removeprefix("SUBTITLES")
    )


@pytest.mark.client(WHISPER_LIVE_KIT, "live speech")
@pytest.mark.usefixtures("ffmpeg")
@pytest.mark.parametrize("mode", ["full", "diff"])
def test_whisper_live_kits_test_client(transcribes, mode):
    transcribes(lambda *arguments: run("whisper_live_kit.py", *arguments, mode))


@pytest.mark.client(OVOS, "recordings")
def test_openvoiceos(transcribes, tmp_path):
    transcribes(partial(_openvoiceos, tmp_path))


def _openvoiceos(home: Path, *arguments: str | Path) -> str:
    return _last_line(run("ovos_whisper_cpp.py", *arguments, HOME=str(home), XDG_CONFIG_HOME=str(home)))


@pytest.mark.client(CURL, "recordings")
def test_curl_as_in_the_documentation_of_whisper_cpp(transcribes):
    def curl(url: str, token: str, file: Path) -> str:
        fields = [
            "-F",
            f"file=@{file}",
            "-F",
            "temperature=0.0",
            "-F",
            "temperature_inc=0.2",
            "-F",
            "response_format=text",
        ]
        header = ["-H", "Content-Type: multipart/form-data"]
        return output(["curl", "-sS", f"{url}/inference?token={token}", *header, *fields]).replace("\n", " ")

    transcribes(curl)


def _last_line(text: str) -> str:
    return text.strip().splitlines()[-1]
