"""Free disk space: what uploads and recordings can take, and the reserve that they leave for the database."""

import shutil
import tempfile
from pathlib import Path

from django.conf import settings

MB = 1_000_000
SHARE, LEAST, MOST = 0.05, 1_000 * MB, 10_000 * MB
"""The default reserve: a share of the disk, and its bounds in bytes."""


def reserve(folder: Path) -> int:
    """Bytes of the folder's disk that uploads and recordings leave free."""
    if settings.DISK_RESERVE_MB:
        return settings.DISK_RESERVE_MB * MB
    return int(min(max(SHARE * shutil.disk_usage(_existing(folder)).total, LEAST), MOST))


def free(folder: Path) -> int:
    """Bytes."""
    return shutil.disk_usage(_existing(folder)).free


def available(folder: Path) -> int:
    """Bytes that uploads and recordings can take; below 0 if the reserve is touched."""
    return free(folder) - reserve(folder)


def has_room_for_request(size: int) -> bool:
    """Whether a request body of so many bytes fits into the folder for temporary files, twice: views copy it."""
    folder = Path(tempfile.gettempdir())
    is_shared = folder.stat().st_dev == settings.DATA_DIR.stat().st_dev
    return (available(folder) if is_shared else free(folder)) >= 2 * size


def _existing(folder: Path) -> Path:
    """The folder or, if it is yet to be created, the closest one above it."""
    return next(path for path in (folder, *folder.parents) if path.exists())
