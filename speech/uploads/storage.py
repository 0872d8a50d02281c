"""The files while they are sent and worked on, in the site's data folder."""

import fcntl
import shutil
import time
import uuid
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from django.conf import settings

from speech.models import Upload
from speech.uploads.errors import DiskFull

MIN_FREE = 500 * 1024 * 1024
"""Bytes of the disk that uploads leave to everything else."""
CHUNK = 256 * 1024
ORPHAN_AGE = 600.0
"""Seconds for which a file may be without a row: its upload is just being made."""


class Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


def path_of(upload: Upload) -> Path:
    return _folder() / str(upload.pk)


def reserve(upload: Upload) -> None:
    """An empty file. Raises `NoRoom`."""
    _folder().mkdir(parents=True, exist_ok=True)
    if shutil.disk_usage(_folder()).free < upload.size + MIN_FREE:
        raise DiskFull
    path_of(upload).touch(mode=0o600)


def append(upload: Upload, offset: int, piece: Readable) -> bool:
    """Write what follows the first `offset` bytes. False if something else is missing, or the upload was cancelled."""
    try:
        file = path_of(upload).open("r+b")
    except FileNotFoundError:
        return False
    with file:
        fcntl.flock(file, fcntl.LOCK_EX)  # until it is closed: two windows may send the same file
        upload.refresh_from_db(fields=["received", "state"])
        if upload.received != offset:
            return False
        file.seek(offset)
        room = upload.size - offset
        while room and (chunk := piece.read(min(CHUNK, room))):
            file.write(chunk)
            room -= len(chunk)
        file.flush()
        return upload.set_received(offset, upload.size - room - offset)


def remove(upload: Upload) -> None:
    path_of(upload).unlink(missing_ok=True)


def sweep(known: Collection[uuid.UUID]) -> None:
    """Remove what nobody knows of."""
    names = {str(pk) for pk in known}
    with suppress(FileNotFoundError):
        for path in _folder().iterdir():
            if path.name not in names and time.time() - path.stat().st_mtime > ORPHAN_AGE:
                path.unlink(missing_ok=True)


def _folder() -> Path:
    return settings.DATA_DIR / "uploads"
