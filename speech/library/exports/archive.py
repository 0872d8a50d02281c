"""A ZIP file that is sent while it is written."""

import io
from collections.abc import Iterable, Iterator
from zipfile import ZIP_DEFLATED, ZipFile

File = tuple[str, str, Iterable[bytes]]
"""Name, extension and content."""


def zip_stream(files: Iterable[File]) -> Iterator[bytes]:
    """Yield a ZIP file of `files`; duplicate names are numbered."""
    taken: set[str] = set()
    pipe = _Pipe()
    with ZipFile(pipe, "w", ZIP_DEFLATED) as archive:
        for stem, extension, chunks in files:
            name = _unused_name(stem, extension, taken)
            with archive.open(name, "w", force_zip64=True) as entry:
                for chunk in chunks:
                    entry.write(chunk)
                    yield pipe.drain()
    yield pipe.drain()


def _unused_name(stem: str, extension: str, taken: set[str]) -> str:
    name, number = f"{stem}.{extension}", 1
    while name in taken:
        number += 1
        name = f"{stem}-{number}.{extension}"
    taken.add(name)
    return name


class _Pipe(io.RawIOBase):
    """Buffers writes until they are drained. It cannot seek, so ZipFile writes sizes after the data."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]
        self._buffer += data
        return len(data)

    def drain(self) -> bytes:
        data, self._buffer = bytes(self._buffer), bytearray()
        return data
