"""Where the audio of a WAV file ends. Its headers often lie: a program that writes to a pipe can't patch them, one that
crashes doesn't, and above 4 GiB they can't be right."""

import struct
from dataclasses import dataclass
from typing import BinaryIO

from ..slices import size_of

MARGIN = 1 << 20
"""A size so close to the end of a number's range is no size, but stands for an unknown one."""
RANGES = (1 << 30, 1 << 31, 1 << 32)
TOLERANCE = 0.3
"""Seconds that may be missing: some programs count a header, or a byte of padding, as audio."""
SLACK = 16
"""Bytes by which programs are wrong about the size of the whole file."""
UNCOMPRESSED = (1, 3, 6, 7, 0xFFFE)
"""Codes of PCM, floats, A-law and µ-law, and of the extended header, which names one of these as a rule."""
UNKNOWN = 0xFFFF_FFFF
CHUNKS = {
    *(b"LIST", b"INFO", b"id3 ", b"ID3 ", b"bext", b"iXML", b"cue ", b"smpl", b"fact", b"JUNK", b"junk", b"PAD "),
    *(b"axml", b"chna", b"afsp", b"DISP", b"_PMX", b"PEAK", b"plst", b"inst", b"note", b"labl", b"cart", b"levl"),
}


@dataclass(frozen=True)
class Audio:
    end: int
    """Byte of the file after the last one of its audio."""
    seconds: float | None
    """None of compressed audio."""
    is_truncated: bool


@dataclass(frozen=True)
class Header:
    riff_end: int
    """Byte at which the file ends, as declared."""
    data: int
    """First byte of the audio."""
    declared: int
    """Bytes of audio, as declared."""
    byte_rate: int
    is_compressed: bool


def audio_of(file: BinaryIO, start: int, end: int, max_seconds: float) -> Audio | None:
    """The audio of the WAV file from byte `start` to `end` of a file; None if it is none. A header that declares more
    than `max_seconds` isn't believed."""
    header = _read_header(file, start, end)
    if header is None:
        return None
    available = end - header.data
    if header.declared <= available:
        size = header.declared if _is_followed_by_chunks(file, header, end) else available
        is_truncated = False
    else:
        size = available
        missing = (header.declared - available) / header.byte_rate
        contains_next = abs(header.data + header.declared - size_of(file)) <= SLACK  # a joined file's patched header
        is_truncated = missing > TOLERANCE and not contains_next and _is_plausible(header, max_seconds)
    return Audio(header.data + size, None if header.is_compressed else size / header.byte_rate, is_truncated)


def _read_header(file: BinaryIO, start: int, end: int) -> Header | None:
    file.seek(start)
    head = file.read(12)
    if head[:4] not in (b"RIFF", b"RF64") or head[8:] != b"WAVE":
        return None
    riff, data_64, format = int.from_bytes(head[4:8], "little"), UNKNOWN, b""
    position = start + 12
    while position + 8 <= end:
        file.seek(position)
        name, size = (head := file.read(8))[:4], int.from_bytes(head[4:], "little")
        position += 8
        if name == b"data":
            declared = data_64 if size == UNKNOWN else size
            byte_rate, is_compressed = _byte_rate(format)
            return Header(start + riff + 8, position, declared, byte_rate, is_compressed) if byte_rate else None
        if name == b"ds64":
            sizes = file.read(16)
            riff, data_64 = int.from_bytes(sizes[:8], "little"), int.from_bytes(sizes[8:], "little") or UNKNOWN
        elif name == b"fmt ":
            format = file.read(16)
        position += size + size % 2
    return None


def _byte_rate(format: bytes) -> tuple[int, bool]:
    """Bytes per second, and whether the audio is compressed, by the body of the chunk “fmt ”."""
    codec, _, rate, declared, block, _ = struct.unpack("<HHIIHH", format.ljust(16, b"\0"))
    return (rate * block or declared, False) if codec in UNCOMPRESSED else (declared, True)


def _is_plausible(header: Header, max_seconds: float) -> bool:
    """Whether a size larger than the file was the size of the whole one."""
    is_placeholder = any(abs(header.declared - limit) <= MARGIN for limit in RANGES)
    is_consistent = header.riff_end + SLACK >= header.data + header.declared
    return is_consistent and not is_placeholder and header.declared / header.byte_rate <= max_seconds


def _is_followed_by_chunks(file: BinaryIO, header: Header, end: int) -> bool:
    """Whether the audio ends where it is declared to: other chunks follow it there, or hardly anything."""
    position = header.data + header.declared
    if (end - position) / header.byte_rate <= TOLERANCE and header.declared:
        return True
    return any(_is_chunk(file, position + padding, end) for padding in {0, header.declared % 2})


def _is_chunk(file: BinaryIO, position: int, end: int) -> bool:
    """Whether a common chunk begins there, or others, which reach the end exactly."""
    while position + 8 <= end:
        file.seek(position)
        name, size = (head := file.read(8))[:4], int.from_bytes(head[4:], "little")
        if name in CHUNKS:
            return True
        if not (name.isascii() and name.decode("latin-1").isprintable()):
            return False
        position += 8 + size + size % 2
    return position in (end, end + 1)
