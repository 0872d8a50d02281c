"""Download of the voices in a Hugging Face repository.

huggingface_hub can't tell offline whether its cache has all files of a repository, or an interrupted download of it. So
the repository's list of files is saved beside them, before the first of them is downloaded.
"""

import glob
import json
import logging
import re
from collections.abc import Callable, Collection, Mapping
from pathlib import Path

import huggingface_hub
from huggingface_hub import constants, errors
from requests import RequestException

from inference.loading.huggingface import CheckpointError, ReportProgress, Repository, is_folder, reported_regularly

logger = logging.getLogger(__name__)

FILE_LIST = ".files.json"
"""File in a snapshot's folder: sizes of all the repository's files in bytes, by name."""
LIST_TIMEOUT = 10.0  # seconds

Selection = Callable[[str], bool]
"""Whether the file of this name is one to download."""


def download(source: str, revision: str, selects: Selection, report_progress: ReportProgress = logger.info) -> Path:
    """The folder of voices: `source` itself, or the local copy of the repository of that name, downloaded if missing.

    Without a network, a complete local copy is enough; a commit's is not checked for updates. Raises `CheckpointError`.
    """
    if is_folder(source):
        return _local_folder(source)
    repository = Repository(source, revision, report_progress)
    if re.fullmatch("[0-9a-f]{40}", revision) and _is_complete(folder := _snapshot(repository, revision), selects):
        return folder
    report_progress(f"checking {source} for voices")
    with repository.explained("the list of voices"):
        try:
            commit, sizes = _fetch_list(repository)
        except (errors.RepositoryNotFoundError, errors.RevisionNotFoundError):
            raise
        except (RequestException, errors.OfflineModeIsEnabled) as error:
            if folder_offline := _offline_copy(repository, selects):
                logger.warning("using the local copy of %s: the list of its voices is out of reach: %s", source, error)
                return folder_offline
            raise
    return _complete(repository, commit, sizes, selects)


def _local_folder(source: str) -> Path:
    folder = Path(source).expanduser()
    if not folder.is_dir():
        raise CheckpointError(
            f"“{source}” is neither a local folder nor a Hugging Face repository of voices. Check the path."
        )
    return folder.resolve()


def _fetch_list(repository: Repository) -> tuple[str, dict[str, int]]:
    """The commit, and the sizes of its files in bytes."""
    info = huggingface_hub.HfApi().model_info(
        repository.name, revision=repository.revision, files_metadata=True, timeout=LIST_TIMEOUT
    )
    return str(info.sha), {file.rfilename: file.size or 0 for file in info.siblings or []}


def _complete(repository: Repository, commit: str, sizes: Mapping[str, int], selects: Selection) -> Path:
    """Download what is missing of a commit."""
    folder = _snapshot(repository, commit)
    with repository.explained(FILE_LIST):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / FILE_LIST).write_text(json.dumps(sizes))
    wanted = {name: size for name, size in sizes.items() if selects(name)}
    if not wanted:
        raise CheckpointError(
            f"{repository.name} has no voices that can be used: they belong to another model, or their licenses allow "
            "non-commercial use only (TTS_NONCOMMERCIAL_VOICES)."
        )
    if missing := _missing(folder, wanted):
        _download(repository, folder, wanted, missing)
    if missing := _missing(folder, wanted):
        raise CheckpointError(
            f"The download of {repository.name} is incomplete: {len(missing)} of {len(wanted)} voices are missing, for "
            f"example {missing[0]}. Restart to try again."
        )
    return folder


def _download(repository: Repository, folder: Path, wanted: Mapping[str, int], missing: Collection[str]) -> None:
    total = sum(wanted.values())
    repository.check_disk_space(f"{len(missing)} voices have", sum(wanted[name] for name in missing))

    def progress() -> str:
        done = wanted.keys() - _missing(folder, wanted)
        megabytes = sum(wanted[name] for name in done) / 1e6
        return (
            f"downloading voices of {repository.name}: {len(done)} of {len(wanted)}, "
            f"{megabytes:,.0f} of {total / 1e6:,.0f} MB"
        )

    for name in missing:
        if (path := folder / name).exists():  # truncated: huggingface_hub would keep it
            path.resolve().unlink()
            path.unlink(missing_ok=True)
    repository.report_progress(progress())
    with repository.explained(f"{len(missing)} voices"), reported_regularly(repository.report_progress, progress):
        huggingface_hub.snapshot_download(
            repository.name,
            revision=repository.revision,
            cache_dir=constants.HF_HUB_CACHE,
            allow_patterns=[glob.escape(name) for name in missing],
        )


def _offline_copy(repository: Repository, selects: Selection) -> Path | None:
    """The local copy of the revision, None if there is none. Raises `CheckpointError` if it is incomplete."""
    reference = repository.cache / "refs" / repository.revision
    folder = _snapshot(repository, reference.read_text().strip() if reference.is_file() else repository.revision)
    if not folder.is_dir():
        return None
    if (sizes := _saved_list(folder)) is None:
        # Another program downloaded it, such as `hf download` on the machine that the cache was copied from.
        logger.warning("the local copy of %s has no list of its voices: some may be missing", repository.name)
        return folder
    wanted = {name: size for name, size in sizes.items() if selects(name)}
    if missing := _missing(folder, wanted):
        reason = "HF_HUB_OFFLINE is set" if repository.is_offline else f"{constants.ENDPOINT} isn't responding"
        raise CheckpointError(
            f"The voices of {repository.name} were not downloaded completely: {len(missing)} of {len(wanted)} are "
            f"missing, and {reason}. Start once with network access."
        )
    return folder


def _is_complete(folder: Path, selects: Selection) -> bool:
    sizes = _saved_list(folder)
    return sizes is not None and not _missing(folder, {name: size for name, size in sizes.items() if selects(name)})


def _snapshot(repository: Repository, commit: str) -> Path:
    return repository.cache / "snapshots" / commit


def _saved_list(folder: Path) -> dict[str, int] | None:
    try:
        sizes: dict[str, int] = json.loads((folder / FILE_LIST).read_text())
        return sizes
    except (OSError, ValueError):  # none, or an interrupted one
        return None


def _missing(folder: Path, wanted: Mapping[str, int]) -> list[str]:
    return [name for name, size in wanted.items() if not _has(folder / name, size)]


def _has(path: Path, size: int) -> bool:
    try:
        return path.stat().st_size == size
    except OSError:
        return False
