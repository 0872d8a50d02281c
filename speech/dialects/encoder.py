"""Encoding of speech while it is synthesized, for clients that play it as it arrives."""

from fractions import Fraction
from typing import NamedTuple, cast

import av
import numpy as np

from inference.messages import SAMPLE_RATE


class Format(NamedTuple):
    content_type: str
    container: str = ""  # FFmpeg's names; empty: raw samples
    codec: str = ""
    options: dict[str, str] = {}
    rate: int = SAMPLE_RATE  # Hz
    bit_rate: int = 0  # bits per second; 0: the codec's default


FORMATS = {
    "mp3": Format("audio/mpeg", "mp3", "libmp3lame", {"write_xing": "0", "id3v2_version": "0"}),
    "opus": Format("audio/ogg; codecs=opus", "ogg", "libopus", {"page_duration": "80000"}),  # µs
    "aac": Format("audio/aac", "adts", "aac"),
    "flac": Format("audio/flac", "flac", "flac"),
    "wav": Format("audio/wav", "wav", "pcm_s16le"),
    "pcm": Format("audio/pcm"),
}


class _Output:
    """Write-only file object for FFmpeg. It can't seek, so everything written can be sent at once."""

    def __init__(self) -> None:
        self.bytes = bytearray()

    def write(self, data: bytes) -> int:
        self.bytes += data
        return len(data)

    def pop(self) -> bytes:
        written = bytes(self.bytes)
        self.bytes.clear()
        return written


class Encoder:
    def __init__(self, format: Format) -> None:
        self._output = _Output()
        self._samples = 0
        self._container: av.container.OutputContainer | None = None
        if format.container:
            self._container = av.open(
                self._output, "w", format=format.container, options={**format.options, "flush_packets": "1"}
            )
            stream = self._container.add_stream(format.codec, rate=format.rate, layout="mono")
            self._stream = cast(av.AudioStream, stream)
            if format.bit_rate:
                self._stream.bit_rate = format.bit_rate

    def add(self, pcm: bytes) -> bytes:
        """Encode s16le, mono, 24 kHz, and return the next bytes of the file, which may be none.

        A second of audio takes a few milliseconds.
        """
        if self._container is None:
            return pcm
        self._mux(self._frame(pcm))
        return self._output.pop()

    def end(self) -> bytes:
        """Return the rest of the file."""
        if self._container:
            self._mux(None)
            self._container.close()
        return self._output.pop()

    def _frame(self, pcm: bytes) -> av.AudioFrame:
        samples = np.frombuffer(pcm, "<i2").reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
        frame.sample_rate, frame.time_base, frame.pts = SAMPLE_RATE, Fraction(1, SAMPLE_RATE), self._samples
        self._samples += samples.shape[1]
        return frame

    def _mux(self, frame: av.AudioFrame | None) -> None:
        if self._container:
            self._container.mux(self._stream.encode(frame))
