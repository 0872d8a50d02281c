"""Repositories of the Hugging Face hub, their files downloaded once. Whatever is wrong is said in words."""

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
"""Left on the disk after a download."""

ReportProgress = Callable[[str], None]
"""Called with what is going on, in words, while it takes long."""


class CheckpointError(EngineUnusable):
    """What is wrong with a model's files, why, and what to do."""


class Repository:
    """A repository of the hub. What was downloaded once is not asked for again: a model does not change under those who
    use it, and starts without a network."""

    def __init__(self, name: str, revision: str, tell: ReportProgress) -> None:
        self.name = name
        self.revision = revision
        self._report_progress = tell

    def file(self, name: str) -> Path:
        """Raises `CheckpointError`."""
        with self._explained(name):
            cached = huggingface_hub.try_to_load_from_cache(self.name, name, revision=self.revision)
            if isinstance(cached, str):
                return Path(cached)
            with self._progress(name, None if self._is_offline else self._size(name)):
                return Path(huggingface_hub.hf_hub_download(self.name, name, revision=self.revision))

    def optional(self, name: str) -> Path | None:
        """None if the repository has no such file. Raises `CheckpointError`."""
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
        """Bytes that a download will take, if it is one; makes sure that there is room."""
        metadata = huggingface_hub.get_hf_file_metadata(
            huggingface_hub.hf_hub_url(self.name, name, revision=self.revision), timeout=10
        )
        if not metadata.size:
            return None
        place = _nearest_folder(self._blobs)
        free = shutil.disk_usage(place).free
        if free < metadata.size + SPARE_BYTES:
            raise CheckpointError(
                f"There is no room for {self.name}: {name} has {metadata.size / 1e6:,.0f} MB, and the disk of {place} "
                f"has {free / 1e6:,.0f} MB left. Make room there, or set HF_HOME to a folder on another disk."
            )
        return metadata.size

    @property
    def _blobs(self) -> Path:
        return Path(constants.HF_HUB_CACHE) / f"models--{self.name.replace('/', '--')}" / "blobs"

    @contextmanager
    def _progress(self, name: str, size: int | None) -> Iterator[None]:
        """Tell how far a download has come; huggingface_hub itself tells terminals only."""
        if not size:
            yield
            return
        megabytes, ended = size / 1e6, threading.Event()

        def watch() -> None:
            while not ended.wait(REPORT_INTERVAL):
                have = max((part.stat().st_size for part in self._blobs.glob("*.incomplete")), default=0)
                self._report_progress(
                    f"downloading {self.name}: {100 * have / size:.0f} % of {name}, {megabytes:,.0f} MB"
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
                f"The hub gives {self.name} only to those who have accepted its terms. Do so at "
                f"{constants.ENDPOINT}/{self.name}, and set HF_TOKEN to a token of yours."
            ) from error
        except errors.RepositoryNotFoundError as error:
            raise CheckpointError(
                f"The hub has no repository “{self.name}”, or it is a private one. Is the name right? For a folder of "
                "your own give its whole path; for a private repository set HF_TOKEN."
            ) from error
        except errors.RevisionNotFoundError as error:
            raise CheckpointError(
                f"{self.name} has no revision “{self.revision}”. It is a branch, a tag or a commit; most have “main”."
            ) from error
        except errors.EntryNotFoundError as error:
            raise CheckpointError(
                f"{self.name} has no file {name} at {self.revision}: it is no model of this kind, or another "
                "revision of one."
            ) from error
        except errors.HFValidationError as error:
            raise CheckpointError(
                f"“{self.name}” is no folder here and no name of a repository, which is owner/name: {error}"
            ) from error
        except (RequestException, errors.HfHubHTTPError, errors.OfflineModeIsEnabled) as error:
            raise self._unreachable(name) from error
        except OSError as error:
            raise CheckpointError(f"{name} of {self.name} cannot be written to {self._blobs}: {error}.") from error

    def _unreachable(self, name: str) -> CheckpointError:
        if self._is_offline:
            return CheckpointError(
                f"HF_HUB_OFFLINE is set, and {name} of {self.name} ({self.revision}) is not in the cache "
                f"{constants.HF_HUB_CACHE}. Start once without it to download the model."
            )
        return CheckpointError(
            f"{name} of {self.name} ({self.revision}) cannot be downloaded: {constants.ENDPOINT} does not answer. "
            "Check the network and start again; or copy the model's files here, and give their folder instead of the "
            "name."
        )


def is_folder(model: str) -> bool:
    """Else it is the name of a repository."""
    return model.startswith(("/", "./", "../", "~")) or Path(model).is_dir()


def _nearest_folder(path: Path) -> Path:
    return next(folder for folder in (path, *path.parents) if folder.is_dir())
