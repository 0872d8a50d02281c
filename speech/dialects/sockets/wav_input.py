"""Decoding of a WAV file that arrives in pieces: its header may be split over messages, and another file may follow."""

import struct
from dataclasses import dataclass

from speech.batch.decoder.formats.wav import CHUNKS, MARGIN, RANGES
from speech.dialects.audio import AudioDecoder
from speech.errors import ProtocolError

MAX_HEADER = 1 << 20
"""Bytes before the audio: other chunks may precede it."""
EXTENSIBLE = 0xFFFE
PCM, FLOAT, ALAW, MULAW = 1, 3, 6, 7
FORMATS = {
    (PCM, 8): "u8", (PCM, 16): "s16le", (PCM, 24): "s24le", (PCM, 32): "s32le",
    (FLOAT, 32): "f32le", (FLOAT, 64): "f64le", (ALAW, 8): "alaw", (MULAW, 8): "mulaw",
}  # fmt: skip
"""By codec and bits per sample."""


@dataclass(frozen=True)
class Header:
    format: str
    rate: int  # Hz
    channels: int
    audio_at: int
    """First byte of the audio."""
    size: int | None
    """Bytes of audio; None if the header declares none that is plausible."""


def is_wav(head: bytes) -> bool:
    return head[:4] == b"RIFF" and head[8:12] == b"WAVE"


def read_header(data: bytes) -> Header | None:
    """None if more bytes are needed. Raises `ProtocolError`."""
    position, format = 12, b""
    while position + 8 <= len(data):
        name, size = data[position : position + 4], int.from_bytes(data[position + 4 : position + 8], "little")
        position += 8
        if name == b"data":
            return _header(format, position, size)
        if name == b"fmt " and position + size <= len(data):
            format = data[position : position + size]
        position += size + size % 2
    if max(position, len(data)) > MAX_HEADER:
        raise ProtocolError("Invalid WAV header.", "It has no chunk “data”.")
    return None


def _header(format: bytes, audio_at: int, size: int) -> Header:
    if len(format) < 16:
        raise ProtocolError("Invalid WAV header.", "It has no chunk “fmt ” before the audio.")
    codec, channels, rate, _, block, bits = struct.unpack("<HHIIHH", format[:16])
    if codec == EXTENSIBLE and len(format) >= 26:
        codec = int.from_bytes(format[24:26], "little")
    bits = block * 8 // channels if channels else bits  # the size of a sample, of which fewer bits may be valid
    if (codec, bits) not in FORMATS:
        what = f"Unsupported WAV format: codec {codec} with {bits} bits per sample."
        raise ProtocolError(what, "Supported: PCM, floats, µ-law and A-law.")
    is_placeholder = any(abs(size - limit) <= MARGIN for limit in RANGES)
    return Header(FORMATS[codec, bits], rate, channels, audio_at, None if is_placeholder or not size else size)


class WavInput:
    def __init__(self) -> None:
        self._head = b""  # of a header that is incomplete
        self._decoder: AudioDecoder | None = None
        self._left: int | None = None
        """Bytes of audio up to the declared end, or None."""
        self._is_after_audio = False

    async def decode_message(self, data: bytes) -> bytes:
        """Raises `ProtocolError`."""
        rest = b""
        if self._decoder and is_wav(data):  # the next file
            rest, self._decoder = self._decoder.flush(), None
        if self._decoder is None:
            self._head += data
            header = read_header(self._head)
            if header is None:
                return rest
            self._decoder = AudioDecoder(header.format, header.rate, header.channels)
            self._left, self._is_after_audio = header.size, False
            data, self._head = self._head[header.audio_at :], b""
        return rest + await self._decoder.decode_message(self._audio_of(data))

    def _audio_of(self, data: bytes) -> bytes:
        """Without the chunks that follow the audio. What follows it and is none is audio: the header was written before
        the size was known."""
        if self._is_after_audio:
            return b""
        if self._left is None or len(data) <= self._left:
            self._left = None if self._left is None else self._left - len(data)
            return data
        left, self._left = self._left, None
        padded = left + left % 2
        self._is_after_audio = data[left : left + 4] in CHUNKS or data[padded : padded + 4] in CHUNKS
        return data[:left] if self._is_after_audio else data

    async def end(self) -> bytes:
        return self._decoder.flush() if self._decoder else b""

    async def close(self) -> None:
        pass
