"""Hugging Face repositories, whose files are downloaded once. Errors are explained in `CheckpointError`s."""

import logging
import shutil
import threading
from collections.abc import Callable, Iterator
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
        self._report_progress = report_progress

    def file(self, name: str) -> Path:
        """The local path of a file, downloaded if missing. Raises `CheckpointError`."""
        with self._explained(name):
            cached = huggingface_hub.try_to_load_from_cache(self.name, name, revision=self.revision)
            if isinstance(cached, str):
                return Path(cached)
            with self._progress(name, None if self._is_offline else self._size(name)):
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
    def _is_offline(self) -> bool:
        return bool(constants.HF_HUB_OFFLINE)

    def _size(self, name: str) -> int | None:
        """Size of a file in bytes, None if unknown. Raises `CheckpointError` if the disk is too full for it."""
        metadata = huggingface_hub.get_hf_file_metadata(
            huggingface_hub.hf_hub_url(self.name, name, revision=self.revision), timeout=10
        )
        if not metadata.size:
            return None
        folder = _nearest_folder(self._blobs)
        free = shutil.disk_usage(folder).free
        if free < metadata.size + SPARE_BYTES:
            raise CheckpointError(
                f"Not enough disk space for {self.name}: {name} is {metadata.size / 1e6:,.0f} MB, but {folder} has "
                f"{free / 1e6:,.0f} MB free. Free space or set HF_HOME to another disk."
            )
        return metadata.size

    @property
    def _blobs(self) -> Path:
        return Path(constants.HF_HUB_CACHE) / f"models--{self.name.replace('/', '--')}" / "blobs"

    @contextmanager
    def _progress(self, name: str, size: int | None) -> Iterator[None]:
        """Report the progress of a download; huggingface_hub itself reports it to terminals only."""
        if not size:
            yield
            return
        megabytes, ended = size / 1e6, threading.Event()

        def watch() -> None:
            while not ended.wait(REPORT_INTERVAL):
                downloaded = max((part.stat().st_size for part in self._blobs.glob("*.incomplete")), default=0)
                self._report_progress(
                    f"downloading {self.name}: {100 * downloaded / size:.0f}% of {name}, {megabytes:,.0f} MB"
                )

        self._report_progress(f"downloading {self.name}: {name}, {megabytes:,.0f} MB")
        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        try:
            yield
        finally:
            ended.set()
            watcher.join()

    @contextmanager
    def _explained(self, name: str) -> Iterator[None]:
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
        if self._is_offline:
            return CheckpointError(
                f"HF_HUB_OFFLINE is set, but {name} of {self.name} ({self.revision}) isn't in the cache "
                f"{constants.HF_HUB_CACHE}. Unset it once to download the model."
            )
        return CheckpointError(
            f"Can't download {name} of {self.name} ({self.revision}): {constants.ENDPOINT} isn't responding. Check the "
            "network and restart, or use the folder of a local copy."
        )


def is_folder(model: str) -> bool:
    """Whether `model` is a folder rather than the name of a repository."""
    return model.startswith(("/", "./", "../", "~")) or Path(model).is_dir()


def _nearest_folder(path: Path) -> Path:
    return next(folder for folder in (path, *path.parents) if folder.is_dir())
