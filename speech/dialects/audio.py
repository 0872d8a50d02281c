"""What programs send as audio, made into what streams take: s16le, mono, 24 kHz."""

import io
from collections.abc import Callable
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
import soundfile
import soxr
import sphn

from inference.messages import SAMPLE_RATE
from speech.errors import ProtocolError

Samples = npt.NDArray[np.float32]
Format = Literal["s16le", "f32le", "mulaw", "alaw", "opus"]
FORMATS: tuple[str, ...] = get_args(Format)
CHANNELS = range(1, 17)
RATES = (8_000, 192_000)  # Hz, the least and the most


def to_pcm(samples: npt.NDArray[np.floating]) -> bytes:
    """Of floats in -1..1; what is beyond is clipped, and what is no number is silence."""
    clean = np.nan_to_num(samples, nan=0.0, posinf=1.0, neginf=-1.0)
    return np.clip((clean * 32768).round(), -32768, 32767).astype("<i2").tobytes()


class AudioDecoder:
    """One continuous stream of audio, in pieces of any size: a piece may end within a sample."""

    def __init__(self, format: str, rate: int, channels: int = 1) -> None:
        """`rate` in Hz; of Opus it is the stream's own. Channels take turns by samples, and are mixed.

        Raises `ProtocolError`.
        """
        if format not in FORMATS:
            raise ProtocolError(f"There is no format “{format}”.", f"The formats are: {', '.join(FORMATS)}.")
        if not RATES[0] <= rate <= RATES[1]:
            raise ProtocolError(f"A rate of {rate} Hz is not taken.", f"It may be {RATES[0]} to {RATES[1]}.")
        if channels not in CHANNELS:
            raise ProtocolError(f"{channels} channels are not taken.", f"They may be 1 to {CHANNELS[-1]}.")
        self._decode = _decoder(format)
        self._channels = channels
        self._unmixed: Samples = np.zeros(0, np.float32)
        self._is_over = False
        self._resampler = None
        if format != "opus" and rate != SAMPLE_RATE:
            self._resampler = soxr.ResampleStream(rate, SAMPLE_RATE, 1, dtype="float32")

    def decode(self, data: bytes) -> bytes:
        """s16le, mono, 24 kHz: as much as can be told by now. Raises `ProtocolError`."""
        if self._is_over:
            raise ProtocolError("Audio came after the end.", "It was said before that nothing more follows.")
        samples = self._mixed(self._decode(data))
        return to_pcm(self._resampler.resample_chunk(samples) if self._resampler else samples)

    def _mixed(self, samples: Samples) -> Samples:
        if self._channels == 1:
            return samples
        samples = np.concatenate((self._unmixed, samples))
        whole = len(samples) // self._channels * self._channels
        self._unmixed = samples[whole:]
        return samples[:whole].reshape(-1, self._channels).mean(axis=1)

    def flush(self) -> bytes:
        """What the resampler held back to look ahead; nothing may follow."""
        was_over, self._is_over = self._is_over, True
        if was_over or self._resampler is None:
            return b""
        return to_pcm(self._resampler.resample_chunk(np.zeros(0, np.float32), last=True))


def _decoder(format: str) -> Callable[[bytes], Samples]:
    match format:
        case "opus":
            return OpusStream().decode
        case "mulaw":
            return lambda data: _companded(data, "ULAW")
        case "alaw":
            return lambda data: _companded(data, "ALAW")
        case "f32le":
            return _Whole("<f4", 1.0).decode
        case _:
            return _Whole("<i2", 32768.0).decode


def _companded(data: bytes, subtype: str) -> Samples:
    if not data:
        return np.zeros(0, np.float32)
    samples, _ = soundfile.read(
        io.BytesIO(data), dtype="float32", format="RAW", subtype=subtype, samplerate=SAMPLE_RATE, channels=1
    )
    return samples


class _Whole:
    """Samples of several bytes; the beginning of one waits for its end."""

    def __init__(self, dtype: str, scale: float) -> None:
        self._dtype = np.dtype(dtype)
        self._scale = np.float32(scale)
        self._rest = b""

    def decode(self, data: bytes) -> Samples:
        data = self._rest + data
        whole = len(data) - len(data) % self._dtype.itemsize
        self._rest = data[whole:]
        return np.frombuffer(data[:whole], self._dtype).astype(np.float32) / self._scale


class OpusStream:
    """One continuous Ogg/Opus stream, in pieces of any size."""

    def __init__(self) -> None:
        self._reader = sphn.OpusStreamReader(SAMPLE_RATE)

    def decode(self, data: bytes) -> Samples:
        """Raises `ProtocolError`."""
        try:
            return self._reader.append_bytes(data)
        except ValueError as error:
            raise ProtocolError("The Ogg/Opus audio could not be read.", f"{error}.", "Send one Ogg stream.") from None
