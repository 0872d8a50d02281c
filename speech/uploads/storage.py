"""Files of uploads, in the site's data folder until they are transcribed."""

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
"""Bytes of disk space that uploads leave free."""
CHUNK = 256 * 1024  # bytes
ORPHAN_AGE = 600.0
"""Seconds for which a file can exist without a row: its upload is being created."""


class Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


def path_of(upload: Upload) -> Path:
    return _folder() / str(upload.pk)


def reserve(upload: Upload) -> None:
    """Create an empty file. Raises `DiskFull`."""
    _folder().mkdir(parents=True, exist_ok=True)
    if shutil.disk_usage(_folder()).free < upload.size + MIN_FREE:
        raise DiskFull
    path_of(upload).touch(mode=0o600)


def append(upload: Upload, offset: int, part: Readable) -> bool:
    """Write the bytes that follow the first `offset`. False if other bytes are missing, or the upload was canceled."""
    try:
        file = path_of(upload).open("r+b")
    except FileNotFoundError:
        return False
    with file:
        fcntl.flock(file, fcntl.LOCK_EX)  # until it is closed: two windows may upload the same file
        upload.refresh_from_db(fields=["received", "state"])
        if upload.received != offset:
            return False
        file.seek(offset)
        missing = upload.size - offset
        while missing and (chunk := part.read(min(CHUNK, missing))):
            file.write(chunk)
            missing -= len(chunk)
        file.flush()
        return upload.set_received(offset, upload.size - missing - offset)


def remove(upload: Upload) -> None:
    path_of(upload).unlink(missing_ok=True)


def sweep(known: Collection[uuid.UUID]) -> None:
    """Remove files of unknown uploads."""
    names = {str(pk) for pk in known}
    with suppress(FileNotFoundError):
        for path in _folder().iterdir():
            if path.name not in names and time.time() - path.stat().st_mtime > ORPHAN_AGE:
                path.unlink(missing_ok=True)


def _folder() -> Path:
    return settings.DATA_DIR / "uploads"
