"""Audio files of every common format are decoded, with the time of the file, in a separate process."""

import asyncio
import subprocess
from pathlib import Path

import numpy as np
import pytest

from inference.messages import SAMPLE_RATE
from speech.batch.decode import FileGone, NotStereo, Truncated, decode, measure
from tests.support.servers import programs

SECONDS = 3
FORMATS = ["wav", "mp3", "flac", "ogg", "opus", "m4a", "webm", "aac"]


def encode(file: Path, *arguments: str) -> Path:
    command = [programs.ffmpeg(), "-v", "error", "-y", *arguments, str(file)]
    subprocess.run(command, check=True)
    return file


def tone(file: Path, *arguments: str) -> Path:
    return encode(file, "-f", "lavfi", "-i", f"sine=440:d={SECONDS}:r=44100", *arguments)


async def pcm_of(path: Path, start: int = 0) -> np.ndarray:
    """Return the samples of the file from `start` on: int16[n] at 24 kHz, mono."""
    return np.frombuffer(b"".join([chunk async for chunk in decode(path, start)]), "<i2")


@pytest.mark.parametrize("extension", FORMATS)
async def test_every_common_format_is_decoded(tmp_path, extension):
    file = tone(tmp_path / f"tone.{extension}")
    samples, pcm = await asyncio.gather(measure(file), pcm_of(file))
    assert samples == len(pcm)
    assert samples / SAMPLE_RATE == pytest.approx(SECONDS, abs=0.1)
    spectrum = np.abs(np.fft.rfft(pcm[SAMPLE_RATE : 2 * SAMPLE_RATE].astype(float)))
    assert np.argmax(spectrum) == 440  # Hz, a second having as many lines


@pytest.mark.parametrize("extension", ["mp4", "ts"])
async def test_audio_keeps_its_offset_to_the_video(tmp_path, extension):
    video = ["-f", "lavfi", "-i", "testsrc=d=5:s=64x64:r=10"]
    late = ["-itsoffset", "2", "-f", "lavfi", "-i", f"sine=440:d={SECONDS}"]
    pcm = await pcm_of(encode(tmp_path / f"film.{extension}", *video, *late, "-map", "0", "-map", "1"))
    start = np.argmax(np.abs(pcm) > 500) / SAMPLE_RATE
    assert start == pytest.approx(2, abs=0.1)


@pytest.mark.parametrize("extension", ["mp3", "ogg"])
async def test_decoding_can_start_at_any_sample(tmp_path, extension):
    file = tone(tmp_path / f"tone.{extension}")
    whole = await pcm_of(file)
    for start in (1, 30_000, len(whole) - 10, len(whole)):
        assert np.array_equal(await pcm_of(file, start), whole[start:])


@pytest.mark.parametrize("extension", ["mp3", "wav", "flac", "webm"])
async def test_a_truncated_file_is_detected_and_can_be_decoded_if_accepted(tmp_path, extension):
    whole = tone(tmp_path / f"whole.{extension}").read_bytes()
    file = tmp_path / f"truncated.{extension}"
    file.write_bytes(whole[: len(whole) * 6 // 10])
    with pytest.raises(Truncated):
        await measure(file)
    assert await measure(file, accepts_truncated=True) == len(await pcm_of(file))


async def test_tags_at_the_end_are_not_truncation(tmp_path):
    file = tone(tmp_path / "tagged.mp3", "-write_id3v1", "1", "-metadata", "title=Tone")
    assert await measure(file) / SAMPLE_RATE == pytest.approx(SECONDS, abs=0.1)


async def test_stereo_channels_are_decoded_separately(tmp_path):
    stereo = "sine=440:d=3:r=44100[left];sine=880:d=3:r=44100[right];[left][right]join=inputs=2:channel_layout=stereo"
    file = encode(tmp_path / "call.mp3", "-filter_complex", stereo)
    samples = await measure(file, is_multichannel=True)
    pcm = np.frombuffer(b"".join([chunk async for chunk in decode(file, 1000, channels=2)]), "<i2").reshape(-1, 2)
    assert len(pcm) == samples - 1000
    spectra = np.abs(np.fft.rfft(pcm[SAMPLE_RATE : 2 * SAMPLE_RATE].astype(float), axis=0))
    assert np.argmax(spectra, axis=0).tolist() == [440, 880]


async def test_multichannel_decoding_of_a_mono_file_is_an_error(tmp_path):
    with pytest.raises(NotStereo, match="It has 1 channel; two are required"):
        await measure(tone(tmp_path / "mono.wav"), is_multichannel=True)


async def test_a_missing_file_is_an_error(tmp_path):
    with pytest.raises(FileGone):
        await measure(tmp_path / "none.mp3")


async def test_closing_the_decoder_ends_its_process(tmp_path):
    chunks = decode(encode(tmp_path / "long.wav", "-f", "lavfi", "-i", "sine=440:d=600"))
    assert await anext(chunks)
    async with asyncio.timeout(5):
        await chunks.aclose()
