"""Files that arrive in pieces, as a WebSocket's client sends them."""

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import av
import numpy as np
import pytest

from inference.messages import SAMPLE_RATE
from speech.batch.decode import AudioError, LacksIndex
from speech.dialects.audio import AudioDecoder
from speech.dialects.sockets import container_input
from speech.dialects.sockets.audio_input import AudioInput
from speech.errors import AtCapacity, ProtocolError
from tests.support.clients.api import wav_of
from tests.support.speech.recordings import sine

SECONDS = 3
PIECES = 30
LATENCY = 0.3
"""Seconds of audio that an encoder, a container and a decoder may hold back together."""


def tone(rate: int, channels: int = 1) -> np.ndarray:
    """int16[n, channels]: 440 Hz."""
    samples = 8_000 * np.sin(2 * np.pi * 440 * np.arange(SECONDS * rate) / rate)
    return np.repeat(samples.astype(np.int16)[:, None], channels, axis=1)


class Pieces:
    """A file that can't be sought in, as its client writes it."""

    def __init__(self) -> None:
        self.written = bytearray()

    def write(self, data: bytes) -> int:
        self.written += data
        return len(data)

    def pop(self) -> bytes:
        data = bytes(self.written)
        self.written.clear()
        return data


def recorded(container: str, codec: str, rate: int, channels: int = 1, **options: str) -> list[bytes]:
    """What an encoder has written after each tenth of a second, and the end of the file."""
    file, pieces = Pieces(), []
    with av.open(file, "w", format=container, options={"flush_packets": "1", **options}) as output:
        layout = "mono" if channels == 1 else "stereo"
        stream = output.add_stream(codec, rate=rate, layout=layout)
        for number, samples in enumerate(np.split(tone(rate, channels), PIECES)):
            frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout=layout)
            frame.sample_rate, frame.pts = rate, number * len(samples)
            output.mux(stream.encode(frame))
            pieces.append(file.pop())
        output.mux(stream.encode(None))
    return [*pieces, file.pop()]


@asynccontextmanager
async def audio_input(decoder: AudioDecoder | None = None) -> AsyncIterator[AudioInput]:
    audio = AudioInput(decoder)
    try:
        yield audio
    finally:
        await audio.close()


async def decoded(pieces: list[bytes], decoder: AudioDecoder | None = None) -> tuple[np.ndarray, list[float]]:
    """The samples, and the seconds that were decoded after each piece."""
    pcm, seconds = b"", []
    async with audio_input(decoder) as audio:
        for piece in pieces:
            pcm += await audio.decode(piece)
            seconds.append(len(pcm) / 2 / SAMPLE_RATE)
        pcm += await audio.end()
    return np.frombuffer(pcm, "<i2"), seconds


def is_tone(samples: np.ndarray) -> bool:
    middle = samples[SAMPLE_RATE : 2 * SAMPLE_RATE].astype(float)
    return abs(int(np.abs(np.fft.rfft(middle)).argmax()) - 440) <= 1 and np.abs(middle).max() > 4_000


FRAGMENTED = {"movflags": "frag_keyframe+empty_moov+default_base_moof", "frag_duration": "100000"}


@pytest.mark.parametrize(
    ("container", "codec", "rate", "options"),
    [
        ("webm", "libopus", 48_000, {"live": "1", "cluster_time_limit": "100"}),
        ("mp4", "aac", 48_000, FRAGMENTED),
        pytest.param("mp3", "libmp3lame", 44_100, {}, marks=pytest.mark.slow),
        ("flac", "flac", 16_000, {}),
        pytest.param("adts", "aac", 24_000, {}, marks=pytest.mark.slow),
        pytest.param("ogg", "libopus", 48_000, {"page_duration": "100000"}, marks=pytest.mark.slow),
        pytest.param("mpegts", "aac", 24_000, {}, marks=pytest.mark.slow),
        pytest.param("au", "pcm_s16be", 24_000, {}, marks=pytest.mark.slow),
    ],
)
async def test_a_recording_is_decoded_while_it_is_made(container, codec, rate, options):
    samples, seconds = await decoded(recorded(container, codec, rate, **options))
    assert abs(len(samples) / SAMPLE_RATE - SECONDS) < 0.1
    assert is_tone(samples)
    assert all(done >= number / 10 - LATENCY for number, done in enumerate(seconds[:-1], 1))


@pytest.mark.slow
@pytest.mark.parametrize(("container", "codec"), [("caf", "pcm_s16be"), ("aiff", "pcm_s16be"), ("ogg", "flac")])
async def test_a_whole_recording_is_decoded(tmp_path, container, codec):
    path = sine(tmp_path / f"tone.{container}", "-c:a", codec)
    data = path.read_bytes()
    samples, _ = await decoded([data[i : i + 20_000] for i in range(0, len(data), 20_000)])
    assert is_tone(4 * samples.clip(-8_000, 8_000))


@pytest.mark.slow
async def test_any_pieces_give_the_same_audio():
    file = b"".join(recorded("webm", "libopus", 48_000, channels=2, live="1"))
    whole, _ = await decoded([file])
    small, _ = await decoded([file[i : i + 7] for i in range(0, 700, 7)] + [file[700:]])
    assert np.array_equal(whole, small)
    assert is_tone(whole)


def wav(
    format: int, bits: int, samples: bytes, rate: int = 16_000, size: int | None = None, before: bytes = b""
) -> bytes:
    size = len(samples) if size is None else size
    header = struct.pack("<HHIIHH", format, 1, rate, rate * bits // 8, bits // 8, bits)
    chunks = before + b"fmt " + struct.pack("<I", 16) + header + b"data" + struct.pack("<I", size) + samples
    return b"RIFF" + struct.pack("<I", len(chunks) + 4) + b"WAVE" + chunks


def s24(samples: np.ndarray) -> bytes:
    return (samples.astype("<i4") << 8).view(np.uint8).reshape(-1, 4)[:, :3].tobytes()


SAMPLES = tone(16_000)[:, 0]
FLOATS = SAMPLES / 32768
WAVS = {
    "int16": wav(1, 16, SAMPLES.tobytes()),
    "int24": wav(1, 24, s24(SAMPLES)),
    "int32": wav(1, 32, (SAMPLES.astype("<i4") << 16).tobytes()),
    "uint8": wav(1, 8, ((SAMPLES >> 8) + 128).astype(np.uint8).tobytes()),
    "float32": wav(3, 32, FLOATS.astype("<f4").tobytes()),
    "float64": wav(3, 64, FLOATS.astype("<f8").tobytes()),
    "a list before": wav(1, 16, SAMPLES.tobytes(), before=b"LIST" + struct.pack("<I", 5) + b"INFO!\0"),
    "unknown size": wav(1, 16, SAMPLES.tobytes(), size=0xFFFF_FFFF),
    "no size": wav(1, 16, SAMPLES.tobytes(), size=0),
    "tags after": wav(1, 16, SAMPLES.tobytes()) + b"LIST" + struct.pack("<I", 4_000) + bytes(4_000),
}


@pytest.mark.parametrize("name", WAVS)
async def test_wav_files_of_any_kind_are_decoded_however_they_are_split(name):
    file = WAVS[name]
    samples, _ = await decoded([file[:3], file[3:30], file[30:47], file[47:5_000], file[5_000:]])
    assert abs(len(samples) - SECONDS * SAMPLE_RATE) < 10
    assert is_tone(samples)


@pytest.mark.parametrize(("codec", "format"), [("pcm_mulaw", 7), ("pcm_alaw", 6)])
async def test_companded_wav_files_are_decoded(codec, format):
    raw = b"".join(recorded("mulaw" if format == 7 else "alaw", codec, 16_000))
    samples, _ = await decoded([wav(format, 8, raw)])
    assert is_tone(samples)


async def test_wav_files_may_follow_one_another():
    files = [wav_of(part.tobytes(), 16_000) for part in np.split(SAMPLES, 3)]
    samples, _ = await decoded(files)
    assert abs(len(samples) - SECONDS * SAMPLE_RATE) < 50
    assert is_tone(samples)


async def test_raw_samples_need_no_header():
    samples, _ = await decoded([SAMPLES.tobytes()], AudioDecoder("s16le", 16_000))
    assert is_tone(samples)


@pytest.mark.parametrize(
    ("content", "error", "text"),
    [
        (SAMPLES.tobytes(), ProtocolError, "must be a file from its beginning. Supported: WAV, WebM"),
        (b"\x1aE\xdf\xa3" + b"junk" * 100, AudioError, "damaged"),
        (wav(17, 4, bytes(100)), ProtocolError, "codec 17"),
        (b"\0\0\0\x18ftypM4A " + bytes(12) + b"\0\0\x01\0mdat" + bytes(248), LacksIndex, "index"),
    ],
)
async def test_what_cannot_be_decoded_is_refused_by_name(content, error, text):
    with pytest.raises(error) as refused:
        await decoded([content])
    assert text in f"{refused.value}"


async def test_a_message_with_hours_of_silence_is_refused(monkeypatch):
    monkeypatch.setattr(container_input, "MAX_AUDIO", 48_000)
    with pytest.raises(ProtocolError, match="too much audio"):
        await decoded([b"".join(recorded("flac", "flac", 16_000))])


async def test_the_number_of_processes_is_limited(monkeypatch):
    monkeypatch.setattr(container_input, "MAX_PROCESSES", 1)
    first_piece = recorded("webm", "libopus", 48_000, live="1")[0]
    async with audio_input() as one, audio_input() as other:
        await one.decode(first_piece)
        with pytest.raises(AtCapacity):
            await other.decode(first_piece)
        await one.close()
        await other.decode(first_piece)


@pytest.mark.parametrize("is_running", [False, True])
async def test_closing_ends_a_decoding_that_waits(is_running):
    file = b"".join(recorded("webm", "libopus", 48_000, live="1"))
    async with audio_input() as audio:
        if is_running:
            await audio.decode(file[:2_000])
        waiting = asyncio.create_task(audio.decode(file[2_000 * is_running :]))
        await asyncio.sleep(0)
        await audio.close()
        await asyncio.wait([waiting], timeout=10)
        assert waiting.done()
        assert isinstance(waiting.exception(), ProtocolError | None)
        assert await audio.decode(file) == b""
    assert container_input._processes == 0
