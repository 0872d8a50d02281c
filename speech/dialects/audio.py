"""Decoding of the audio that programs send into the format of streams: s16le, mono, 24 kHz."""

import asyncio
import io
from collections.abc import Callable
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
import soundfile
import soxr
import sphn

from inference.messages import SAMPLE_RATE
from speech.batch.decoder.downmix import Downmix
from speech.errors import ProtocolError

Samples = npt.NDArray[np.float32]
Format = Literal["s16le", "s24le", "s32le", "u8", "f32le", "f64le", "mulaw", "alaw", "opus"]
FORMATS: tuple[str, ...] = get_args(Format)
CHANNELS = range(1, 17)
MIN_RATE, MAX_RATE = 8_000, 192_000  # Hz
DOWNMIX_SECONDS, DOWNMIX_MEMORY = 0.02, 0.7
"""Block of a downmix, and the weight of those before: speech outweighs a pause at once."""
MAX_INLINE_BYTES = 64 * 1024
"""Bytes up to which a message is decoded on the event loop; larger ones are decoded in a thread."""


def to_pcm(samples: npt.NDArray[np.floating]) -> bytes:
    """s16le of floats in -1..1. Values beyond are clipped, NaN becomes silence."""
    clean = np.nan_to_num(samples, nan=0.0, posinf=1.0, neginf=-1.0)
    return np.clip((clean * 32768).round(), -32768, 32767).astype("<i2").tobytes()


class AudioDecoder:
    """Decoder of one continuous stream, in chunks of any size: a chunk may end within a sample."""

    def __init__(self, format: str, rate: int, channels: int = 1) -> None:
        """`rate` is in Hz; Opus streams have their own. Channels are interleaved, and are mixed.

        Raises `ProtocolError`.
        """
        if format not in FORMATS:
            raise ProtocolError(f"Unsupported format “{format}”.", f"Supported formats: {', '.join(FORMATS)}.")
        if not MIN_RATE <= rate <= MAX_RATE:
            raise ProtocolError(f"Unsupported sample rate {rate} Hz.", f"Supported: {MIN_RATE} to {MAX_RATE} Hz.")
        if channels not in CHANNELS:
            raise ProtocolError(f"Unsupported number of channels: {channels}.", f"Supported: 1 to {CHANNELS[-1]}.")
        self._decode = _decoder(format)
        self._channels = channels
        self._unmixed: Samples = np.zeros(0, np.float32)
        self._downmix = Downmix(round(rate * DOWNMIX_SECONDS), DOWNMIX_MEMORY) if channels == 2 else None
        self._is_ended = False
        self._resampler = None
        if format != "opus" and rate != SAMPLE_RATE:
            self._resampler = soxr.ResampleStream(rate, SAMPLE_RATE, 1, dtype="float32")

    def decode(self, data: bytes) -> bytes:
        """Return what can be decoded by now: s16le, mono, 24 kHz. Raises `ProtocolError`."""
        if self._is_ended:
            raise ProtocolError("Audio received after the end of input.", "The client had already ended the stream.")
        samples = self._mix(self._decode(data))
        return to_pcm(self._resampler.resample_chunk(samples) if self._resampler else samples)

    async def decode_message(self, data: bytes) -> bytes:
        """As `decode`, without blocking the event loop."""
        if len(data) > MAX_INLINE_BYTES:
            return await asyncio.to_thread(self.decode, data)
        return self.decode(data)

    def _mix(self, samples: Samples) -> Samples:
        if self._channels == 1:
            return samples
        samples = np.concatenate((self._unmixed, samples))
        whole = len(samples) // self._channels * self._channels
        self._unmixed = samples[whole:]
        samples = samples[:whole].reshape(-1, self._channels)
        if self._downmix is None:
            return samples.mean(axis=1)
        return _floats(self._downmix.push(np.frombuffer(to_pcm(samples), "<i2").reshape(-1, 2)))

    def flush(self) -> bytes:
        """End the stream and return the rest of its audio."""
        was_ended, self._is_ended = self._is_ended, True
        if was_ended:
            return b""
        rest = _floats(self._downmix.flush()) if self._downmix else np.zeros(0, np.float32)
        return to_pcm(self._resampler.resample_chunk(rest, last=True) if self._resampler else rest)


def _floats(pcm: npt.NDArray[np.int16]) -> Samples:
    return pcm[:, 0].astype(np.float32) / np.float32(32768)


def _decoder(format: str) -> Callable[[bytes], Samples]:
    match format:
        case "opus":
            return OpusStream().decode
        case "mulaw":
            return lambda data: _expand(data, "ULAW")
        case "alaw":
            return lambda data: _expand(data, "ALAW")
        case "f32le":
            return _SampleReader("<f4", 1.0).decode
        case "f64le":
            return _SampleReader("<f8", 1.0).decode
        case "s32le":
            return _SampleReader("<i4", 2.0**31).decode
        case "s24le":
            return _PackedReader().decode
        case "u8":
            return _unsigned
        case _:
            return _SampleReader("<i2", 32768.0).decode


def _unsigned(data: bytes) -> Samples:
    return (np.frombuffer(data, np.uint8).astype(np.float32) - np.float32(128)) / np.float32(128)


def _expand(data: bytes, subtype: str) -> Samples:
    """Samples of companded audio, a byte each."""
    if not data:
        return np.zeros(0, np.float32)
    samples, _ = soundfile.read(
        io.BytesIO(data), dtype="float32", format="RAW", subtype=subtype, samplerate=SAMPLE_RATE, channels=1
    )
    return samples


class _SampleReader:
    """Reader of samples of several bytes; keeps an incomplete one for the next chunk."""

    def __init__(self, dtype: str, scale: float) -> None:
        self._dtype = np.dtype(dtype)
        self._scale = np.float32(scale)
        self._rest = b""

    def decode(self, data: bytes) -> Samples:
        data = self._rest + data
        whole = len(data) - len(data) % self._dtype.itemsize
        self._rest = data[whole:]
        return np.frombuffer(data[:whole], self._dtype).astype(np.float32) / self._scale


class _PackedReader:
    """Reader of samples of three bytes, which no dtype has."""

    def __init__(self) -> None:
        self._rest = b""

    def decode(self, data: bytes) -> Samples:
        data = self._rest + data
        whole = len(data) - len(data) % 3
        self._rest = data[whole:]
        padded = np.zeros((whole // 3, 4), np.uint8)
        padded[:, 1:] = np.frombuffer(data[:whole], np.uint8).reshape(-1, 3)
        return padded.view("<i4")[:, 0].astype(np.float32) / np.float32(2.0**31)


class OpusStream:
    """Decoder of one continuous Ogg/Opus stream, in chunks of any size."""

    def __init__(self) -> None:
        self._reader = sphn.OpusStreamReader(SAMPLE_RATE)

    def decode(self, data: bytes) -> Samples:
        """Raises `ProtocolError`."""
        try:
            return self._reader.append_bytes(data)
        except ValueError as error:
            what = "Couldn't decode the Ogg/Opus audio."
            raise ProtocolError(what, f"{error}.", "Send a single Ogg stream.") from None
