"""Files of uploads, in the site's data folder until they are transcribed."""

import errno
import fcntl
import hashlib
import os
import time
import uuid
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol

from django.conf import settings

from speech import disk_space
from speech.models import Upload
from speech.uploads.errors import ContentMismatch, DiskFull

CHUNK = 256 * 1024  # bytes
ORPHAN_AGE = 600.0
"""Seconds for which a file can exist without a row: its upload is being created."""


class Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


def path_of(upload: Upload) -> Path:
    return _folder() / str(upload.pk)


@contextmanager
def reserving(upload: Upload) -> Iterator[None]:
    """Check that what is missing of the file has room beside the rest of all other uploads; and if it is new, that it
    leaves as much to other accounts as its own gets. The upload must be saved within the context: no other one is
    checked meanwhile. Raises `DiskFull`."""
    _folder().mkdir(parents=True, exist_ok=True)
    with _locked_folder():
        others = Upload.objects.exclude(pk=upload.pk)
        of_owner = others.of(upload.owner).expected_bytes() + upload.size - upload.received
        free = disk_space.available(_folder()) - others.exclude(owner=upload.owner).expected_bytes()
        if free < of_owner:
            raise DiskFull
        if upload._state.adding and free < 2 * of_owner:
            raise DiskFull(why="It is nearly full, and the uploads of one account take at most half of what is left.")
        yield


def create(upload: Upload) -> None:
    """Create an empty file."""
    path_of(upload).touch(mode=0o600)


def require_room(size: int) -> None:
    """Raises `DiskFull` if so many bytes would touch the reserve: others may have filled the disk meanwhile."""
    if disk_space.available(_folder()) < size:
        raise DiskFull


def append(upload: Upload, offset: int, part: Readable, sha256: str = "") -> bool:
    """Write the bytes that follow the first `offset`. False if other bytes are missing, or the upload was canceled.
    `sha256`: of the whole file, if these are its last bytes. Raises `DiskFull`."""
    try:
        file = path_of(upload).open("r+b")
    except FileNotFoundError:
        return False
    with _disk_full_as_error(), file:
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
        return upload.set_received(offset, upload.size - missing - offset, "" if missing else sha256)


def verify(upload: Upload) -> None:
    """Compare the complete file with its SHA-256, if its client sent one. Raises `ContentMismatch`. Blocking."""
    if not upload.sha256:
        return
    with path_of(upload).open("rb") as file:
        if hashlib.file_digest(file, "sha256").hexdigest() != upload.sha256:
            raise ContentMismatch


def remove(upload: Upload) -> None:
    path_of(upload).unlink(missing_ok=True)


def sweep(known: Collection[uuid.UUID]) -> None:
    """Remove files of unknown uploads."""
    names = {str(pk) for pk in known}
    with suppress(FileNotFoundError):
        for path in _folder().iterdir():
            if path.name not in names and time.time() - path.stat().st_mtime > ORPHAN_AGE:
                path.unlink(missing_ok=True)


@contextmanager
def _locked_folder() -> Iterator[None]:
    folder = os.open(_folder(), os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


@contextmanager
def _disk_full_as_error() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskFull from error
        raise


def _folder() -> Path:
    return settings.DATA_DIR / "uploads"
