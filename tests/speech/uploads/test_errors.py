"""Files that are none, or more than they seem: each is refused in words, and nothing stays of it."""

import io
import subprocess
import zipfile

import pytest

from tests.support.clients.api import wav_of
from tests.support.clients.uploads import wait_until_nothing_is_left
from tests.support.servers import programs
from tests.support.speech.checksum_audio import noise


def zip_bomb() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", bytes(200_000_000))
    return file.getvalue()


def encoded(*arguments: str) -> bytes:
    command = [programs.ffmpeg(), "-v", "error", "-f", "lavfi", *arguments, "-"]
    return subprocess.run(command, capture_output=True, check=True).stdout


def mp3(seconds: int) -> bytes:
    return encoded("-i", f"sine=300:d={seconds}", "-f", "mp3")


def silence_bomb() -> bytes:
    """Four minutes in a few kilobytes, where three are the bound."""
    return encoded("-i", "anullsrc=r=8000:cl=mono:d=240", "-f", "flac")


def film() -> bytes:
    return encoded("-i", "testsrc=d=1:s=64x64", "-f", "matroska")


PLAYLIST = b"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n"


@pytest.mark.parametrize(
    ("name", "make", "what"),
    [
        ("letter.wav", lambda: b"Dear Ada,\n" * 1000, "could not be read"),
        ("bomb.mp3", zip_bomb, "could not be read"),
        ("noise.mp3", lambda: noise(100), "could not be read"),
        ("playlist.mp3", lambda: PLAYLIST, "could not be read"),
        ("film.mp4", film, "no sound"),
        ("silence.flac", silence_bomb, "too long"),
        ("header.wav", lambda: wav_of(b""), "could not be read"),
    ],
)
def test_it_is_refused_in_words(site, sender, name, make, what):
    told = sender.send(name, make())
    while (told := sender.look(told))["state"] != "refused":
        assert told["state"] in ("waiting", "checking"), told
    assert what in told["problem"]["what"]
    assert all(told["problem"].values())
    wait_until_nothing_is_left(site)


@pytest.mark.parametrize(("size", "what"), [(0, "is empty"), (100_000_001, "too large")])
def test_it_is_refused_before_it_is_sent(site, sender, size, what):
    response = sender.announce("any.wav", size)
    assert response.status_code == 400
    assert what in response.json()["what"]
    wait_until_nothing_is_left(site)


@pytest.mark.parametrize(
    ("wish", "what"),
    [
        ({"engine": "sphynx"}, "There is no engine “sphynx”."),
        ({"language": "xx"}, "No engine knows the language “xx”."),
    ],
)
def test_what_no_engine_has_is_not_waited_for(site, sender, wish, what):
    response = sender.announce("any.wav", 1000, **wish)
    assert response.status_code == 400
    assert response.json()["what"] == what
    assert all(response.json().values())
    wait_until_nothing_is_left(site)


def test_what_an_engine_has_may_be_asked_for(sender):
    told = sender.announce("any.wav", 1000, engine="checksum", language="en-GB")
    assert told.status_code == 201
    sender.cancel(told.json())


def test_a_piece_that_is_too_large_is_refused(sender):
    told = sender.announce("large.wav", 50_000_000).json()
    response = sender.piece(told, bytes(9_000_000), 0)
    assert (response.status_code, response.json()["what"]) == (400, "The piece is too large.")
    sender.cancel(told)
