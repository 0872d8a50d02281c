"""Files of every common kind are read, in the time of the file, by a process that can do nothing else."""

import asyncio
import subprocess
from pathlib import Path

import numpy as np
import pytest

from inference.messages import SAMPLE_RATE
from speech.batch.decode import FileGone, NotStereo, Truncated, decode, measure
from tests.support.servers import programs

SECONDS = 3
KINDS = ["wav", "mp3", "flac", "ogg", "opus", "m4a", "webm", "aac"]


def encode(file: Path, *arguments: str) -> Path:
    command = [programs.ffmpeg(), "-v", "error", "-y", *arguments, str(file)]
    subprocess.run(command, check=True)
    return file


def tone(file: Path, *arguments: str) -> Path:
    return encode(file, "-f", "lavfi", "-i", f"sine=440:d={SECONDS}:r=44100", *arguments)


async def pcm_of(path: Path, start: int = 0) -> np.ndarray:
    """int16[n]"""
    return np.frombuffer(b"".join([piece async for piece in decode(path, start)]), "<i2")


@pytest.mark.parametrize("kind", KINDS)
async def test_every_common_kind_is_read(tmp_path, kind):
    file = tone(tmp_path / f"tone.{kind}")
    samples, pcm = await asyncio.gather(measure(file), pcm_of(file))
    assert samples == len(pcm)
    assert samples / SAMPLE_RATE == pytest.approx(SECONDS, abs=0.1)
    spectrum = np.abs(np.fft.rfft(pcm[SAMPLE_RATE : 2 * SAMPLE_RATE].astype(float)))
    assert np.argmax(spectrum) == 440  # Hz, a second having as many lines


@pytest.mark.parametrize("kind", ["mp4", "ts"])
async def test_words_keep_to_the_time_of_the_picture(tmp_path, kind):
    picture = ["-f", "lavfi", "-i", "testsrc=d=5:s=64x64:r=10"]
    late = ["-itsoffset", "2", "-f", "lavfi", "-i", f"sine=440:d={SECONDS}"]
    pcm = await pcm_of(encode(tmp_path / f"film.{kind}", *picture, *late, "-map", "0", "-map", "1"))
    begins = np.argmax(np.abs(pcm) > 500) / SAMPLE_RATE
    assert begins == pytest.approx(2, abs=0.1)


@pytest.mark.parametrize("kind", ["mp3", "ogg"])
async def test_it_goes_on_at_any_sample(tmp_path, kind):
    file = tone(tmp_path / f"tone.{kind}")
    whole = await pcm_of(file)
    for start in (1, 30_000, len(whole) - 10, len(whole)):
        assert np.array_equal(await pcm_of(file, start), whole[start:])


@pytest.mark.parametrize("kind", ["mp3", "wav", "flac", "webm"])
async def test_one_that_is_cut_off_is_noticed_and_can_be_read_all_the_same(tmp_path, kind):
    whole = tone(tmp_path / f"whole.{kind}").read_bytes()
    file = tmp_path / f"cut.{kind}"
    file.write_bytes(whole[: len(whole) * 6 // 10])
    with pytest.raises(Truncated):
        await measure(file)
    assert await measure(file, accepts_truncated=True) == len(await pcm_of(file))


async def test_tags_at_the_end_are_no_broken_frame(tmp_path):
    file = tone(tmp_path / "tagged.mp3", "-write_id3v1", "1", "-metadata", "title=Tone")
    assert await measure(file) / SAMPLE_RATE == pytest.approx(SECONDS, abs=0.1)


async def test_the_sides_of_a_stereo_file_are_apart(tmp_path):
    both = "sine=440:d=3:r=44100[left];sine=880:d=3:r=44100[right];[left][right]join=inputs=2:channel_layout=stereo"
    file = encode(tmp_path / "call.mp3", "-filter_complex", both)
    samples = await measure(file, is_multichannel=True)
    pcm = np.frombuffer(b"".join([piece async for piece in decode(file, 1000, channels=2)]), "<i2").reshape(-1, 2)
    assert len(pcm) == samples - 1000
    spectra = np.abs(np.fft.rfft(pcm[SAMPLE_RATE : 2 * SAMPLE_RATE].astype(float), axis=0))
    assert np.argmax(spectra, axis=0).tolist() == [440, 880]


async def test_one_that_has_no_sides_is_told_so(tmp_path):
    with pytest.raises(NotStereo, match="It has 1 channel; two are required"):
        await measure(tone(tmp_path / "mono.wav"), is_multichannel=True)


async def test_one_that_is_not_there_is_told(tmp_path):
    with pytest.raises(FileGone):
        await measure(tmp_path / "none.mp3")


async def test_whoever_wants_no_more_ends_it(tmp_path):
    pieces = decode(encode(tmp_path / "long.wav", "-f", "lavfi", "-i", "sine=440:d=600"))
    assert await anext(pieces)
    async with asyncio.timeout(5):
        await pieces.aclose()
