"""A zip that is sent while it is written."""

import io
from collections.abc import Iterable, Iterator
from zipfile import ZIP_DEFLATED, ZipFile

File = tuple[str, str, Iterable[bytes]]
"""Its name, its extension, and what is in it."""


def zip_stream(files: Iterable[File]) -> Iterator[bytes]:
    """Files of the same name are numbered."""
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
    """Holds what was written until it is taken. It cannot seek, and ZipFile writes what it must accordingly."""

    def __init__(self) -> None:
        self._held = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]
        self._held += data
        return len(data)

    def drain(self) -> bytes:
        held, self._held = bytes(self._held), bytearray()
        return held
