"""Parts of a file, read as files of their own."""

import os
from io import SEEK_CUR, SEEK_END, SEEK_SET
from typing import BinaryIO


class Slice:
    """The bytes of a file from `start` to `end`, as a file to read."""

    def __init__(self, file: BinaryIO, start: int, end: int) -> None:
        self._file = file
        self._start, self._end = start, end
        self._position = start

    def read(self, size: int = -1) -> bytes:
        left = max(0, self._end - self._position)
        self._file.seek(self._position)
        data = self._file.read(left if size < 0 else min(size, left))
        self._position += len(data)
        return data

    def seek(self, offset: int, whence: int = SEEK_SET) -> int:
        self._position = {SEEK_SET: self._start, SEEK_CUR: self._position, SEEK_END: self._end}[whence] + offset
        return self.tell()

    def tell(self) -> int:
        return self._position - self._start


def size_of(file: BinaryIO) -> int:
    return os.fstat(file.fileno()).st_size
