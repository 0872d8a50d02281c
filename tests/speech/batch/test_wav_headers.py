"""The audio of a WAV file is decoded whatever its header says about sizes; it is truncated only if audio is missing."""

import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.speech.recordings import decoded

RATE = 8_000
SECONDS = 2
AUDIO = (8_000 * np.sin(np.arange(RATE * SECONDS) / 5)).astype("<i2").tobytes()
HEADER = 44
LIST = b"LIST" + struct.pack("<I", 26) + b"INFOISFT" + struct.pack("<I", 14) + b"Lavf58.76.100\0"
UNBELIEVABLE = [
    *(0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF, 0xFFFF_FFFE, 0x7FFF_0000, 0x7FFE_FFFF, 0x7FFF_F000, 0x3FFF_FFFF),
    *(0x7FFF_FFFF - 36, 0x8000_0024, 0xFFFF_FFFF - 44, 0x8000_1000, 0xFFFF_0000, 0x7FF0_0001, 0x6000_0000),
]


def wav(audio: bytes, riff: int, data: int, after: bytes = b"", bits: int = 16) -> bytes:
    """`riff`, `data`: the sizes that the header has."""
    block = bits // 8
    format = struct.pack("<HHIIHH", 1, 1, RATE, RATE * block, block, bits)
    head = b"RIFF" + struct.pack("<I", riff) + b"WAVEfmt " + struct.pack("<I", 16) + format
    return head + b"data" + struct.pack("<I", data) + audio + after


def read(folder: Path, content: bytes) -> tuple[float, bool]:
    """Seconds of audio, and whether it is truncated."""
    file = folder / "recording.wav"
    file.write_bytes(content)
    pcm, found = decoded(file)
    return len(pcm) / 24_000, found.is_truncated


@pytest.mark.parametrize("riff", [0, 36, "consistent", 0xFFFF_FFFF])
def test_a_size_that_was_never_patched_is_ignored(riff, tmp_path):
    for data in [0, 2, 36, len(AUDIO), *UNBELIEVABLE]:
        size = min(data + 36, 0xFFFF_FFFF) if riff == "consistent" else riff
        assert read(tmp_path, wav(AUDIO, size, data)) == (SECONDS, False), data


def test_a_size_that_is_wrong_by_a_few_bytes_is_not_truncation(tmp_path):
    for error in [-46, -8, -2, -1, 1, 2, 8, 44, 46]:
        seconds, is_truncated = read(tmp_path, wav(AUDIO, len(AUDIO) + 36 + error, len(AUDIO) + error))
        assert not is_truncated, error
        assert seconds == pytest.approx(SECONDS, abs=0.01), error


@settings(max_examples=25, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(riff=st.integers(0, 0xFFFF_FFFF), data=st.integers(0, 0xFFFF_FFFF))
def test_all_of_the_audio_is_decoded_with_any_sizes(riff, data, tmp_path):
    assert read(tmp_path, wav(AUDIO, riff, data))[0] == pytest.approx(SECONDS, abs=0.3)


@pytest.mark.parametrize("share", [0.2, 0.5, 0.8])
def test_a_file_that_was_cut_is_truncated(share, tmp_path):
    whole = wav(AUDIO, len(AUDIO) + 36, len(AUDIO))
    kept = round(len(AUDIO) * share) // 2 * 2
    assert read(tmp_path, whole[: HEADER + kept]) == (kept / RATE / 2, True)


@pytest.mark.parametrize(
    "after", [LIST, LIST + LIST, b"\0\0", b"TAG" + bytes(125), b"cust" + struct.pack("<I", 4) + b"abcd"]
)
def test_what_follows_the_audio_is_not_audio(after, tmp_path):
    seconds, is_truncated = read(tmp_path, wav(AUDIO, len(AUDIO) + 36 + len(after), len(AUDIO), after))
    assert (seconds, is_truncated) == (SECONDS, False)


@pytest.mark.parametrize("padding", [b"", b"\0"])
def test_audio_of_an_odd_size_may_be_padded(padding, tmp_path):
    audio = bytes([128, 200] * RATE)[:-1]
    content = wav(audio, len(audio) + 36 + len(padding + LIST), len(audio), padding + LIST, bits=8)
    seconds, is_truncated = read(tmp_path, content)
    assert (round(seconds * RATE), is_truncated) == (len(audio), False)


@pytest.mark.parametrize(("share", "is_truncated"), [(1.0, False), (0.5, True)])
def test_large_files_have_their_size_in_a_chunk_of_its_own(share, is_truncated, tmp_path):
    plain = wav(AUDIO, 0xFFFF_FFFF, 0xFFFF_FFFF)
    sizes = b"ds64" + struct.pack("<IQQQI", 28, len(AUDIO) + 72, len(AUDIO), len(AUDIO) // 2, 0)
    content = b"RF64" + plain[4:12] + sizes + plain[12:]
    content = content[: len(content) - round(len(AUDIO) * (1 - share))]
    assert read(tmp_path, content) == (SECONDS * share, is_truncated)


def test_a_size_above_4_gib_that_wrapped_around_does_not_end_the_audio(tmp_path):
    wrapped = len(AUDIO) // 4
    assert read(tmp_path, wav(AUDIO, wrapped + 36, wrapped)) == (SECONDS, False)


@pytest.mark.parametrize("size", [0, 0xFFFF_FFFF])
def test_a_file_without_audio_has_none(size, tmp_path):
    assert read(tmp_path, wav(b"", 36, size)) == (0, False)
    assert read(tmp_path, wav(b"", 36 + len(LIST), 0, LIST)) == (0, False)
