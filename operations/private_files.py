"""Files that only the account that runs the site can read: the database, recordings, uploads, keys and backups.

`manage.py` sets the umask, so new files are private. Those of earlier versions are made private when the site starts.
"""

import logging
import stat
from collections.abc import Iterator
from pathlib import Path

logger = logging.getLogger(__name__)

OTHERS = stat.S_IRWXG | stat.S_IRWXO
"""The rights of the group and of others."""
FILES = ("db.sqlite3*", "secret_key")
FOLDERS = ("audio", "uploads", "backups")
"""What the site itself creates in its data folder, which may contain other things."""


def make_private(data: Path, audio: Path) -> None:
    """Withdraw the rights of the group and of others from the site's files. Those of other accounts are left, with a
    warning."""
    files = [path for pattern in FILES for path in data.glob(pattern)]
    folders = {*(data / name for name in FOLDERS), audio}
    left = [path for path in (*files, *_unfinished(folders)) if not _made_private(path)]
    if left:
        more = f" and {len(left) - 1} more" if len(left) > 1 else ""
        logger.warning(
            "%s%s may be readable by others: owned by another account. Change the owner to the one that runs the site.",
            left[0],
            more,
        )


def _unfinished(folders: set[Path]) -> Iterator[Path]:
    """What is in folders that aren't private yet. The folder itself is last, so what is interrupted is repeated."""
    for folder in folders:
        if folder.is_dir() and folder.stat().st_mode & OTHERS:
            yield from folder.rglob("*")
            yield folder


def _made_private(path: Path) -> bool:
    """Symbolic links have no mode of their own, and may lead elsewhere."""
    try:
        mode = path.lstat().st_mode
        if not stat.S_ISLNK(mode) and mode & OTHERS:
            path.chmod(stat.S_IMODE(mode) & ~OTHERS)
    except FileNotFoundError:  # deleted meanwhile, by another process of the site
        return True
    except OSError:
        return False
    return True
