"""The recordings that a file consists of: files of one format are joined by appending them, but libraries read the
first one only, or fail where the next one begins."""

import re
from collections.abc import Iterator
from typing import BinaryIO

from .formats.transport_stream import changes, is_transport_stream
from .slices import size_of

HEADERS = [
    re.compile(pattern, re.DOTALL)
    for pattern in (
        rb"RIFF....WAVE",
        rb"RF64....WAVE",
        rb"RIFF....AVI LIST",
        rb"FORM....AIF[FC]",
        rb"fLaC\x00\x00\x00\x22",
        rb"OggS\x00[\x02\x06]",
        rb"\x1a\x45\xdf\xa3.{1,40}?\x42\x82[\x84\x88](?:webm|matroska)",
        rb"\x00\x00\x00.ftyp(?:iso.|mp4.|M4[ABV] |qt  |3gp.|3g2.|dash|avc1|f4v |MSNV|mmp4)",
        rb"#!AMR(?:-WB)?\n",
        rb"\.snd\x00\x00.{6}\x00\x00\x00[\x01-\x1f]\x00.{3}\x00\x00\x00[\x01-\x08]",  # AU
        rb"caff\x00\x01\x00\x00desc",
        rb"FLV\x01[\x01\x04\x05]\x00\x00\x00\x09\x00\x00\x00\x00",
        rb"\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9\x00\xaa\x00\x62\xce\x6c",  # ASF
        rb"riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb\x04\xc1\x00\x00",  # Wave64
    )
]
"""Beginnings of files that are too long to occur within one by chance."""
MP3_FRAME = re.compile(rb"\xff[\xe2\xe3\xf2\xf3\xfa\xfb]")
ID3 = re.compile(rb"ID3[\x02-\x04]\x00.[\x00-\x7f]{4}", re.DOTALL)
"""Tags before an MP3 file, whose picture could be mistaken for audio."""
HEADER_BYTES = 64
"""No header is longer."""
BLOCK = 1 << 20
OGG_PAGE = 27
"""Bytes of a page's header, whose last one is the number of segment sizes that follow."""


def parts(file: BinaryIO) -> Iterator[tuple[int, int]]:
    """Yield first byte and end of each part. A file of another format is one part: the demuxers of AAC and MPEG program
    streams read on by themselves, and so does that of MPEG transport streams while the tracks are the same."""
    start = 0
    for following in changes(file) if is_transport_stream(file) else _headers(file):
        if following > start:
            yield start, following
            start = following
    yield start, size_of(file)


def _headers(file: BinaryIO) -> Iterator[int]:
    """Yield the beginning of each part but the first."""
    position = _after_id3(file, 0)
    file.seek(position)
    head = file.read(HEADER_BYTES)
    header = ID3 if MP3_FRAME.match(head) else next((header for header in HEADERS if header.match(head)), None)
    while header and (following := _find(file, header, _end_of_header(file, position, header))) is not None:
        yield following
        position = following


def _find(file: BinaryIO, header: re.Pattern[bytes], position: int) -> int | None:
    """Position of the next header."""
    tail = b""
    while True:
        file.seek(position)
        block = file.read(BLOCK)
        if found := header.search(tail + block):
            return position - len(tail) + found.start()
        if not block:
            return None
        position += len(block)
        tail = (tail + block)[-HEADER_BYTES:]


def _end_of_header(file: BinaryIO, position: int, header: re.Pattern[bytes]) -> int:
    """A position after the header, before the next one. Several streams of an Ogg file begin together, each with a page
    of its own; tags of an MP3 file can follow each other."""
    if header is ID3:
        return max(position + 1, _after_id3(file, position))
    file.seek(position)
    head = file.read(OGG_PAGE + 255)
    if not head.startswith(b"OggS"):
        return position + 1
    while header.match(head) and len(head) >= OGG_PAGE:
        segments = head[OGG_PAGE : OGG_PAGE + head[OGG_PAGE - 1]]
        position += OGG_PAGE + len(segments) + sum(segments)
        file.seek(position)
        head = file.read(OGG_PAGE + 255)
    return position


def _after_id3(file: BinaryIO, position: int) -> int:
    """The position after the tags that some programs write before any format."""
    while True:
        file.seek(position)
        head = file.read(10)
        if len(head) < 10 or not head.startswith(b"ID3"):
            return position
        size = 0
        for byte in head[6:]:
            size = size << 7 | byte & 0x7F
        position += 10 + size
