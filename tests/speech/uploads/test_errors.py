"""Invalid and malicious files: each fails with an error message and leaves nothing behind."""

import io
import subprocess
import time
import zipfile

import pytest

from tests.support.clients.api import wav_of
from tests.support.clients.uploads import wait_until_nothing_is_left
from tests.support.servers import programs
from tests.support.speech.checksum_audio import noise


def zip_bomb() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", bytes(20_000_000))
    return file.getvalue()


def encoded(*arguments: str) -> bytes:
    command = [programs.ffmpeg(), "-v", "error", "-f", "lavfi", *arguments, "-"]
    return subprocess.run(command, capture_output=True, check=True).stdout


def mp3(seconds: int) -> bytes:
    return encoded("-i", f"sine=300:d={seconds}", "-f", "mp3")


def silence_bomb() -> bytes:
    """Four minutes in a few kilobytes; the limit is three."""
    return encoded("-i", "anullsrc=r=8000:cl=mono:d=240", "-f", "flac")


def film() -> bytes:
    return encoded("-i", "testsrc=d=1:s=64x64", "-f", "matroska")


PLAYLIST = b"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n"


@pytest.mark.parametrize(
    ("name", "make", "what"),
    [
        ("letter.wav", lambda: b"Dear Ada,\n" * 1000, "isn't a recording"),
        ("bomb.mp3", zip_bomb, "isn't a recording"),
        ("noise.mp3", lambda: noise(100), "Couldn't read"),
        ("playlist.mp3", lambda: PLAYLIST, "isn't a recording"),
        ("film.mp4", film, "no audio"),
        ("silence.flac", silence_bomb, "too long"),
        ("header.wav", lambda: wav_of(b""), "Couldn't read"),
    ],
)
def test_invalid_files_fail_with_an_error_message(site, sender, name, make, what):
    upload = sender.send(name, make())
    while (upload := sender.status(upload))["state"] != "failed":
        assert upload["state"] in ("waiting", "checking"), upload
        time.sleep(0.02)
    assert what in upload["problem"]["what"]
    assert all(upload["problem"].values())
    wait_until_nothing_is_left(site)


@pytest.mark.parametrize(("size", "what"), [(0, "is empty"), (100_000_001, "too large")])
def test_files_of_invalid_size_are_rejected_before_they_are_sent(site, sender, size, what):
    response = sender.create("any.wav", size)
    assert response.status_code == 400
    assert what in response.json()["title"]
    wait_until_nothing_is_left(site)


@pytest.mark.parametrize(
    ("option", "what"),
    [
        ({"engine": "sphynx"}, "Engine “sphynx” not found."),
        ({"language": "xx"}, "No engine supports the language “xx”."),
    ],
)
def test_unknown_engines_and_languages_are_rejected(site, sender, option, what):
    response = sender.create("any.wav", 1000, **option)
    assert response.status_code == 400
    assert response.json()["title"] == what
    assert all(response.json().values())
    wait_until_nothing_is_left(site)


def test_known_engines_and_languages_are_accepted(sender):
    response = sender.create("any.wav", 1000, engine="checksum", language="en-GB")
    assert response.status_code == 201
    sender.cancel(response.json())
