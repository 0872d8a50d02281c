"""A file that is no recording is named as what it is."""

import gzip
import io
import zipfile

import pytest

from speech.batch.decode import AudioError, LacksIndex, NoRecording, measure
from speech.batch.decoder.formats.kinds import kind_of
from tests.support.speech.recordings import sine


def zipped():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("talk.mp3", bytes(1000))
    return file.getvalue()


FILES = {
    "zip": [zipped(), b"PK\5\6" + bytes(18)],
    "archive": [gzip.compress(b"speech"), b"Rar!\x1a\7\0" + bytes(50), b"7z\xbc\xaf\x27\x1c" + bytes(50)],
    "document": [b"%PDF-1.7\n", b"{\\rtf1\\ansi", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500)],
    "image": [
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xd8\xff\xe0\0\x10JFIF",
        b"GIF89a",
        b"RIFF\1\2\3\4WEBPVP8 ",
        b"\0\0\0\x18ftypheic",
    ],
    "midi": [b"MThd\0\0\0\6\0\1"],
    "text": [
        b"Dear Ada,\n" * 1000,
        b"<!DOCTYPE html><title>404</title>",
        b'{"error": "not found"}',
        b"#EXTM3U\nfile:///etc/passwd\n",
        "Größe, ελληνικά, 日本語\n".encode() * 5000,
        "Sehr geehrte Damen und Herren, viele Grüße.\n".encode("latin-1"),
        "Dear Ada".encode("utf-16"),
        b"\xef\xbb\xbfWEBVTT\n\n",
    ],
    "zeros": [bytes(100_000)],
    "incomplete": [
        b"\0\0\0\x10ftypM4A \0\0\0\0\0\0\x10\0mdat" + bytes(500),
        b"\0\0\0\x10ftypisom\0\0\0\0\0\0\0\x01mdat",
    ],
    None: [b"", b"\x12\x00\x99\xf0" * 1000, b"\xff\xfb\x90\x64" + bytes(400), b"RIFF\0\0\0\0WAVE" + bytes(100)],
}


@pytest.mark.parametrize("kind", FILES)
def test_every_kind_is_recognized(kind):
    for content in FILES[kind]:
        assert kind_of(io.BytesIO(content)) == kind, content[:40]


@pytest.mark.parametrize(
    ("content", "error", "text"),
    [
        (zipped(), NoRecording, "ZIP archive"),
        pytest.param(b"Dear Ada,\n" * 1000, NoRecording, "text file", marks=pytest.mark.slow),
        (b"\x12\x00\x99\xf0" * 1000, AudioError, "damaged"),
    ],
)
async def test_the_error_says_what_the_file_is(content, error, text, tmp_path):
    file = tmp_path / "talk.wav"
    file.write_bytes(content)
    with pytest.raises(AudioError, match=text) as raised:
        await measure(file)
    assert type(raised.value) is error
    assert raised.value.action


async def test_a_truncated_m4a_file_lacks_its_index(tmp_path):
    file = sine(tmp_path / "talk.m4a")
    file.write_bytes(file.read_bytes()[:20_000])
    with pytest.raises(LacksIndex, match="index"):
        await measure(file, accepts_truncated=True)
