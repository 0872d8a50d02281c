"""The audio of a socket's client: raw samples, or a file, such as the recording of a browser, whose first bytes show
its format. A file is decoded as it arrives, in pieces of any size.
"""

import re

from speech.dialects.audio import AudioDecoder
from speech.dialects.sockets.container_input import ContainerInput
from speech.dialects.sockets.wav_input import WavInput, is_wav
from speech.errors import ProtocolError

MIN_HEAD = 36
"""Bytes that show the format: the first page of an Ogg file has the name of its codec."""
CONTAINERS = {
    rb"\x1aE\xdf\xa3": "matroska",  # and WebM
    rb".{4}(?:ftyp|styp|moov|moof|mdat|sidx|free|skip|wide)": "mov",  # and MP4
    rb"OggS": "ogg",
    rb"fLaC": "flac",
    rb"ID3|\xff[\xe2-\xe7\xf2-\xf7\xfa-\xff]": "mp3",
    rb"\xff[\xf0\xf1\xf8\xf9]": "aac",
    rb"#!AMR": "amr",
    rb"G.{187}G": "mpegts",
    rb"caff": "caf",
    rb"FORM.{4}AIF[FC]": "aiff",
    rb"\.snd": "au",
    rb"FLV": "flv",
    rb"\x30\x26\xb2\x75\x8e\x66\xcf\x11": "asf",
}
"""First bytes, and FFmpeg's name of the container."""
NAMES = "WAV, WebM, Matroska, MP4, MP3, AAC, FLAC, Ogg, AMR, AIFF, AU, CAF, FLV, ASF and MPEG-TS"


class AudioInput:
    def __init__(self, decoder: AudioDecoder | None = None, container: str = "") -> None:
        """`decoder`: of raw samples; None: a file, of the format that FFmpeg calls `container`, or of any."""
        self._input: AudioDecoder | WavInput | ContainerInput | None = decoder
        if container:
            self._input = ContainerInput(container)
        self._head = b""
        self._is_closed = False

    async def decode(self, data: bytes) -> bytes:
        """Return what can be decoded by now: s16le, mono, 24 kHz. Raises `ProtocolError`."""
        if self._is_closed:
            return b""
        if isinstance(self._input, ContainerInput) and self._input.is_over:
            if _format_of(data) is None:
                return b""  # tags, or padding
            await self._input.close()
            self._input = None
        if self._input is None:
            self._head += data
            if len(self._head) < MIN_HEAD:
                return b""
            self._input = _input_for(self._head)
            data, self._head = self._head, b""
        return await self._input.decode_message(data)

    async def end(self) -> bytes:
        """End the audio and return the rest. Raises `ProtocolError`."""
        if isinstance(self._input, AudioDecoder):
            return self._input.flush()
        return await self._input.end() if self._input else b""

    async def close(self) -> None:
        """Free what it uses. Nothing is decoded any more."""
        self._is_closed = True
        if isinstance(self._input, ContainerInput):
            await self._input.close()


def _input_for(head: bytes) -> AudioDecoder | WavInput | ContainerInput:
    if is_wav(head):
        return WavInput()
    format = _format_of(head)
    if format is None:
        raise ProtocolError(
            "The format of the audio is unknown.",
            f"Without “encoding”, it must be a file from its beginning. Supported: {NAMES}.",
        )
    return AudioDecoder("opus", 48_000) if format == "ogg" and head[28:36] == b"OpusHead" else ContainerInput(format)


def _format_of(head: bytes) -> str | None:
    return next((name for magic, name in CONTAINERS.items() if re.match(magic, head, re.DOTALL)), None)
