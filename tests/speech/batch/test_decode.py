"""Audio files of every common format are decoded, with the time of the file, in a separate process."""

import asyncio
import wave
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from inference.messages import SAMPLE_RATE
from speech.batch.decode import FileGone, NotStereo, TooLong, Truncated, UnsupportedRate, decode, measure
from tests.support.speech.recordings import encode, sine

SECONDS = 3
FORMATS = ["wav", "mp3", "flac", "ogg", "opus", "m4a", "webm", "aac"]


@pytest.fixture(scope="module")
def tone(tmp_path_factory):
    """A file with a tone, encoded once: `tone(extension)`."""
    folder = tmp_path_factory.mktemp("tones")
    return cache(lambda extension: sine(folder / f"tone.{extension}"))


async def pcm_of(path: Path, start: int = 0) -> np.ndarray:
    """Return the samples of the file from `start` on: int16[n] at 24 kHz, mono."""
    return np.frombuffer(b"".join([chunk async for chunk in decode(path, start)]), "<i2")


@pytest.mark.parametrize("extension", FORMATS)
async def test_every_common_format_is_decoded(tone, extension):
    found, pcm = await asyncio.gather(measure(tone(extension)), pcm_of(tone(extension)))
    assert (found.samples, found.note) == (len(pcm), "")
    assert found.samples / SAMPLE_RATE == pytest.approx(SECONDS, abs=0.1)
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
async def test_decoding_can_start_at_any_sample(tone, extension):
    file = tone(extension)
    whole = await pcm_of(file)
    starts = (1, 30_000, len(whole) - 10, len(whole))
    for start, pcm in zip(starts, await asyncio.gather(*(pcm_of(file, start) for start in starts)), strict=True):
        assert np.array_equal(pcm, whole[start:])


@pytest.mark.parametrize("extension", ["mp3", "wav", "flac", "webm"])
async def test_a_truncated_file_is_detected_and_can_be_decoded_if_accepted(tone, tmp_path, extension):
    whole = tone(extension).read_bytes()
    file = tmp_path / f"truncated.{extension}"
    file.write_bytes(whole[: len(whole) * 6 // 10])
    detected, found, pcm = await asyncio.gather(
        measure(file), measure(file, accepts_truncated=True), pcm_of(file), return_exceptions=True
    )
    assert isinstance(detected, Truncated)
    assert found.samples == len(pcm)


async def test_tags_at_the_end_are_not_truncation(tmp_path):
    file = sine(tmp_path / "tagged.mp3", "-write_id3v1", "1", "-metadata", "title=Tone")
    assert (await measure(file)).samples / SAMPLE_RATE == pytest.approx(SECONDS, abs=0.1)


async def test_stereo_channels_are_decoded_separately(tmp_path):
    stereo = "sine=440:d=3:r=44100[left];sine=880:d=3:r=44100[right];[left][right]join=inputs=2:channel_layout=stereo"
    file = encode(tmp_path / "call.mp3", "-filter_complex", stereo)
    samples = (await measure(file, is_multichannel=True)).samples
    pcm = np.frombuffer(b"".join([chunk async for chunk in decode(file, 1000, channels=2)]), "<i2").reshape(-1, 2)
    assert len(pcm) == samples - 1000
    spectra = np.abs(np.fft.rfft(pcm[SAMPLE_RATE : 2 * SAMPLE_RATE].astype(float), axis=0))
    assert np.argmax(spectra, axis=0).tolist() == [440, 880]


async def test_multichannel_decoding_of_a_mono_file_is_an_error(tone):
    with pytest.raises(NotStereo, match="It has 1 channel; two are required"):
        await measure(tone("wav"), is_multichannel=True)


def silence(file: Path, rate: int, seconds: int) -> Path:
    """8 bits, mono."""
    with wave.open(str(file), "wb") as recording:
        recording.setnchannels(1)
        recording.setsampwidth(1)
        recording.setframerate(rate)
        recording.writeframes(bytes([128]) * rate * seconds)
    return file


@pytest.mark.parametrize(("rate", "error"), [(1, UnsupportedRate), (3_999, UnsupportedRate), (4_000, TooLong)])
async def test_a_small_file_with_days_of_audio_is_rejected_before_it_is_decoded(rate, error, tmp_path, settings):
    settings.UPLOAD_MAX_HOURS = 20 / 3600
    file = silence(tmp_path / "slow.wav", rate, 21)
    results = await asyncio.gather(measure(file), pcm_of(file), return_exceptions=True)
    assert [type(result) for result in results] == [error, error]


@pytest.mark.parametrize("extension", ["flac", "ogg", "m4a", "webm"])
async def test_a_file_that_declares_a_longer_duration_than_the_limit_is_not_decoded(extension, tone, settings):
    settings.UPLOAD_MAX_HOURS = 2 / 3600
    chunks = decode(tone(extension))
    with pytest.raises(TooLong, match="longer than"):
        await anext(chunks)


async def test_a_missing_file_is_an_error(tmp_path):
    with pytest.raises(FileGone):
        await measure(tmp_path / "none.mp3")


async def test_closing_the_decoder_ends_its_process(tmp_path):
    chunks = decode(sine(tmp_path / "long.wav", seconds=60))  # more than fits into the pipe
    assert await anext(chunks)
    async with asyncio.timeout(30):
        await chunks.aclose()
