"""Hugging Face repositories, whose files are downloaded once. Errors are explained in `CheckpointError`s."""

import logging
import shutil
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import huggingface_hub
from huggingface_hub import constants, errors
from requests import RequestException

from inference.engine import EngineUnusable

logger = logging.getLogger(__name__)

REPORT_INTERVAL = 2.0  # seconds
SPARE_BYTES = 200_000_000
"""Bytes that must stay free on the disk after a download."""

ReportProgress = Callable[[str], None]
"""Called with a line of text now and then during a long operation."""


class CheckpointError(EngineUnusable):
    """A model's files are missing or invalid; the message explains why and what to do."""


class Repository:
    """A Hugging Face repository. Cached files are never checked for updates: a model does not change while in use, and
    starts without a network."""

    def __init__(self, name: str, revision: str, report_progress: ReportProgress) -> None:
        self.name = name
        self.revision = revision
        self.report_progress = report_progress
        self._sizes: dict[str, int | None] = {}  # in bytes, by file

    def check_files(self, names: Iterable[str]) -> None:
        """Check that the repository has these files and the disk has room for those to download, before the first of
        them is downloaded. Raises `CheckpointError`."""
        if self.is_offline:
            return
        total = 0
        for name in names:
            with self.explained(name):
                if not self._cached(name):
                    total += self._size(name) or 0
        if total:
            self.check_disk_space("its files are", total)

    def names(self) -> list[str]:
        """The names of all files, for a message: empty if the hub doesn't list them."""
        try:
            return list(huggingface_hub.list_repo_files(self.name, revision=self.revision))
        except (RequestException, errors.HfHubHTTPError, errors.OfflineModeIsEnabled, errors.HFValidationError):
            return []

    def file(self, name: str) -> Path:
        """The local path of a file, downloaded if missing. Raises `CheckpointError`."""
        with self.explained(name):
            if cached := self._cached(name):
                return cached
            size = None if self.is_offline else self._size(name)
            if size:
                self.check_disk_space(f"{name} is", size)
            with self._progress(name, size):
                return Path(huggingface_hub.hf_hub_download(self.name, name, revision=self.revision))

    def optional(self, name: str) -> Path | None:
        """The local path of a file, or None if the repository does not have it. Raises `CheckpointError`."""
        try:
            return self.file(name)
        except CheckpointError as error:
            if isinstance(error.__cause__, (errors.EntryNotFoundError, errors.LocalEntryNotFoundError)):
                return None
            raise

    @property
    def is_offline(self) -> bool:
        return bool(constants.HF_HUB_OFFLINE)

    def _cached(self, name: str) -> Path | None:
        cached = huggingface_hub.try_to_load_from_cache(self.name, name, revision=self.revision)
        return Path(cached) if isinstance(cached, str) else None

    def _size(self, name: str) -> int | None:
        """Size of a file in bytes, None if unknown."""
        if name not in self._sizes:
            url = huggingface_hub.hf_hub_url(self.name, name, revision=self.revision)
            self._sizes[name] = huggingface_hub.get_hf_file_metadata(url, timeout=10).size
        return self._sizes[name]

    def check_disk_space(self, what: str, size: int) -> None:
        """`size`: bytes to download. Raises `CheckpointError` if the disk is too full for them."""
        folder = _nearest_folder(self.cache)
        free = shutil.disk_usage(folder).free
        if free < size + SPARE_BYTES:
            raise CheckpointError(
                f"Not enough disk space for {self.name}: {what} {size / 1e6:,.0f} MB, but {folder} has "
                f"{free / 1e6:,.0f} MB free. Free space or set HF_HOME to another disk."
            )

    @property
    def cache(self) -> Path:
        """Its folder in the cache, which has the layout of huggingface_hub."""
        return Path(constants.HF_HUB_CACHE) / f"models--{self.name.replace('/', '--')}"

    @property
    def _blobs(self) -> Path:
        return self.cache / "blobs"

    @contextmanager
    def _progress(self, name: str, size: int | None) -> Iterator[None]:
        """Report the progress of a download; huggingface_hub itself reports it to terminals only."""
        if not size:
            yield
            return
        megabytes = size / 1e6

        def progress() -> str:
            downloaded = max((part.stat().st_size for part in self._blobs.glob("*.incomplete")), default=0)
            return f"downloading {self.name}: {100 * downloaded / size:.0f}% of {name}, {megabytes:,.0f} MB"

        self.report_progress(f"downloading {self.name}: {name}, {megabytes:,.0f} MB")
        with reported_regularly(self.report_progress, progress):
            yield

    @contextmanager
    def explained(self, name: str) -> Iterator[None]:
        """Turn errors while a file is downloaded into `CheckpointError`s."""
        try:
            yield
        except errors.LocalEntryNotFoundError as error:
            raise self._unreachable(name) from error
        except errors.GatedRepoError as error:
            raise CheckpointError(
                f"{self.name} requires accepting its terms. Accept them at {constants.ENDPOINT}/{self.name} and set "
                "HF_TOKEN to your token."
            ) from error
        except errors.RepositoryNotFoundError as error:
            raise CheckpointError(
                f"Hugging Face has no public repository “{self.name}”. Check the name. Use a full path for a local "
                "folder, or set HF_TOKEN for a private repository."
            ) from error
        except errors.RevisionNotFoundError as error:
            raise CheckpointError(
                f"{self.name} has no revision “{self.revision}”. Use a branch, tag or commit, usually “main”."
            ) from error
        except errors.EntryNotFoundError as error:
            raise CheckpointError(
                f"{self.name} has no {name} at {self.revision}: wrong model type or revision."
            ) from error
        except errors.HFValidationError as error:
            raise CheckpointError(
                f"“{self.name}” is neither a local folder nor a repository name (owner/name): {error}"
            ) from error
        except (RequestException, errors.HfHubHTTPError, errors.OfflineModeIsEnabled) as error:
            raise self._unreachable(name) from error
        except OSError as error:
            raise CheckpointError(f"Can't write {name} of {self.name} to {self._blobs}: {error}.") from error

    def _unreachable(self, name: str) -> CheckpointError:
        if self.is_offline:
            return CheckpointError(
                f"HF_HUB_OFFLINE is set, but {name} of {self.name} ({self.revision}) isn't in the cache "
                f"{constants.HF_HUB_CACHE}. Unset it once to download the model."
            )
        return CheckpointError(
            f"Can't download {name} of {self.name} ({self.revision}): {constants.ENDPOINT} isn't responding. Check the "
            "network and restart, or use the folder of a local copy."
        )


@contextmanager
def reported_regularly(report_progress: ReportProgress, progress: Callable[[], str]) -> Iterator[None]:
    """Report the result of `progress`, which runs in a thread, every two seconds."""
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(REPORT_INTERVAL):
            report_progress(progress())

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        ended.set()
        watcher.join()


def is_folder(model: str) -> bool:
    """Whether `model` is a folder rather than the name of a repository."""
    return model.startswith(("/", "./", "../", "~")) or Path(model).is_dir()


def _nearest_folder(path: Path) -> Path:
    return next(folder for folder in (path, *path.parents) if folder.is_dir())
