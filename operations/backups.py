"""Backup and restore: one tar file with the rows of all tables, the audio and the keys.

Rows are JSON, the same for every database, so a site can move from SQLite to PostgreSQL through a backup. All rows are
read in one transaction, so a backup is consistent while the site keeps running.
"""

import gzip
import json
import os
import shutil
import tarfile
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import groupby, islice
from pathlib import Path
from typing import IO, Any

from django.apps import apps
from django.conf import settings
from django.core import serializers
from django.core.management.color import no_style
from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection, models, transaction
from django.db.migrations.recorder import MigrationRecorder

FORMAT = 1
ROWS, MANIFEST, AUDIO, KEYS = "rows.jsonl.gz", "manifest.json", "audio", "keys"
BATCH = 2_000
REBUILT = {"contenttypes.ContentType", "auth.Permission"}
"""Models whose rows every installation creates itself."""
TRANSIENT = {"sessions.Session", "usersessions.UserSession", "admin.LogEntry"}
"""Models that are not backed up; after a restore, users must log in again."""


class ExactEncoder(DjangoJSONEncoder):
    """JSON encoder that keeps microseconds, which Django's own drops."""

    def default(self, value: Any) -> Any:
        return value.isoformat() if isinstance(value, datetime) else super().default(value)


class BackupError(Exception):
    """A message that says what is wrong, why, and what to do."""


# --- Backup -----------------------------------------------------------------------------------------------------------


def back_up(folder: Path) -> Path:
    """Write a new backup into the folder, readable only by its owner, since it contains transcripts and keys."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"speech-{datetime.now(UTC):%Y%m%d-%H%M%S}.tar"
    unfinished = path.with_suffix(".part")
    unfinished.touch(mode=0o600)
    with tarfile.open(unfinished, "w") as tar, tempfile.TemporaryDirectory(dir=folder) as scratch:
        rows = Path(scratch) / ROWS
        count = _write_rows(rows)
        manifest = Path(scratch) / MANIFEST
        manifest.write_text(json.dumps(_manifest(count), indent=1))
        tar.add(manifest, MANIFEST)
        tar.add(rows, ROWS)
        for key in _key_files():
            tar.add(key, f"{KEYS}/{key.name}")
        if settings.AUDIO_DIR.is_dir():
            tar.add(settings.AUDIO_DIR, AUDIO)
    unfinished.rename(path)
    return path


def delete_old(folder: Path, keep: int) -> list[Path]:
    """Delete all but the newest `keep` backups. Returns the deleted paths."""
    old = sorted(folder.glob("speech-*.tar"))[:-keep]
    for path in old:
        path.unlink()
    return old


def _write_rows(path: Path) -> int:
    count = 0
    with gzip.open(path, "wt", encoding="utf-8") as file, _snapshot():
        for model in _models():
            rows = model._default_manager.order_by("pk").iterator(BATCH)
            for row in rows:
                file.write(serializers.serialize("jsonl", [row], cls=ExactEncoder).strip() + "\n")
                count += 1
    return count


@contextmanager
def _snapshot() -> Iterator[None]:
    """A transaction in which all reads see the same state."""
    with transaction.atomic():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
                cursor.execute("SET LOCAL statement_timeout = 0")
        yield


def _models() -> list[type[models.Model]]:
    """Models to back up, each after those it refers to."""
    return [model for model in _tables() if model._meta.label not in TRANSIENT]


def _tables() -> list[type[models.Model]]:
    ordered = serializers.sort_dependencies([(app, None) for app in apps.get_app_configs()], allow_cycles=True)
    return [model for model in ordered if model._meta.label not in REBUILT and not model._meta.proxy]


def _manifest(rows: int) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "version": settings.VERSION,
        "made": datetime.now(UTC).isoformat(),
        "database": connection.vendor,
        "migrations": _migrations(),
        "rows": rows,
    }


def _migrations() -> list[str]:
    return sorted(f"{app}.{name}" for app, name in MigrationRecorder(connection).applied_migrations())


def _key_files() -> list[Path]:
    files = [settings.DATA_DIR / "secret_key"]
    if settings.JWT_KEY_FILE:
        files.append(Path(settings.JWT_KEY_FILE))
    return [path for path in files if path.is_file()]


# --- Restore ----------------------------------------------------------------------------------------------------------


def restore(path: Path, replace: bool = False) -> int:
    """Restore a backup into an empty site or, with `replace`, instead of its data. Returns the number of rows.

    Raises `BackupError`; then nothing was changed.
    """
    try:
        with tarfile.open(path) as tar:
            manifest = json.load(_member(tar, MANIFEST))
            _check_compatible(manifest)
            with transaction.atomic():
                _clear_tables(replace)
                count = _read_rows(_member(tar, ROWS))
                if count != manifest["rows"]:
                    raise BackupError(f"{path} is truncated: {count} of {manifest['rows']} rows. Use another one.")
                connection.check_constraints()
                _reset_sequences()
                _extract_files(tar)
            return count
    except (OSError, tarfile.TarError, EOFError, ValueError, KeyError) as error:
        raise BackupError(f"{path} isn't a valid backup: {error}. Use another one.") from error


def _member(tar: tarfile.TarFile, name: str) -> IO[bytes]:
    file = tar.extractfile(name)
    if file is None:
        raise KeyError(name)
    return file


def _check_compatible(manifest: dict[str, Any]) -> None:
    if manifest["format"] != FORMAT:
        raise BackupError("The backup was made by a newer version. Update first.")
    version = manifest["version"]
    if set(_migrations()) != set(manifest["migrations"]):
        raise BackupError(
            f"The backup was made by version {version}, which has a different schema from {settings.VERSION}. "
            f"Restore it with {version}, then update."
        )


def _clear_tables(replace: bool) -> None:
    full = [model for model in _models() if model._default_manager.exists()]
    if full and not replace:
        names = ", ".join(sorted({str(model._meta.verbose_name_plural) for model in full}))
        raise BackupError(f"The database isn't empty: {names}. Use --replace to discard its contents.")
    for model in reversed(_tables()):
        for table in (*(field.remote_field.through for field in _links(model)), model):
            table._base_manager.all()._raw_delete(using="default")


def _read_rows(file: IO[bytes]) -> int:
    count = 0
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        rows = serializers.deserialize("jsonl", lines)
        for model, group in groupby(rows, lambda row: type(row.object)):
            for batch in _batches(group):
                model._base_manager.bulk_create([row.object for row in batch])
                _link(model, batch)
                count += len(batch)
    return count


def _batches(rows: Iterable[Any]) -> Iterator[list[Any]]:
    rows = iter(rows)
    while batch := list(islice(rows, BATCH)):
        yield batch


def _link(model: type[models.Model], rows: list[Any]) -> None:
    """Store many-to-many relations, which `bulk_create` does not."""
    for field in _links(model):
        through = field.remote_field.through
        source, target = field.m2m_field_name() + "_id", field.m2m_reverse_field_name() + "_id"
        through._base_manager.bulk_create(
            through(**{source: row.object.pk, target: other})
            for row in rows
            for other in (row.m2m_data or {}).get(field.name, ())
        )


def _links(model: type[models.Model]) -> list[Any]:
    """Many-to-many fields to models that are backed up."""
    return [field for field in model._meta.many_to_many if field.related_model._meta.label not in REBUILT]


def _reset_sequences() -> None:
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), _models()):
            cursor.execute(statement)


def _extract_files(tar: tarfile.TarFile) -> None:
    for entry in tar:
        folder, _, name = entry.name.partition("/")
        if folder == AUDIO and name:
            _extract(tar, entry, settings.AUDIO_DIR, name)
        elif folder == KEYS and name == "secret_key":
            _extract(tar, entry, settings.DATA_DIR, name)


def _extract(tar: tarfile.TarFile, entry: tarfile.TarInfo, folder: Path, name: str) -> None:
    """Extract a file or folder, readable by the site's user only. `TarFile.extract` has no filter against paths outside
    the folder before Python 3.11.4; Debian 12 has 3.11.2."""
    path = folder / name
    if not path.resolve().is_relative_to(folder.resolve()):
        raise ValueError(f"“{entry.name}” is outside of its folder")
    if entry.isdir():
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    elif entry.isfile() and (content := tar.extractfile(entry)):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        path.touch(mode=0o600)
        with path.open("wb") as file:
            shutil.copyfileobj(content, file)
        os.utime(path, (entry.mtime, entry.mtime))
