"""A model's files: from a repository of the Hugging Face hub, from its cache, or from a folder; and what moshi makes of
them. Whatever is wrong with them is said in words."""

import json
import logging
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import huggingface_hub
import torch
from huggingface_hub import constants, errors
from moshi.models import LMModel, MimiModel, loaders
from moshi.models.tts import TTSModel
from requests import RequestException
from safetensors import SafetensorError, safe_open

from inference.engine import EngineUnusable
from inference.presets import Preset

logger = logging.getLogger(__name__)

TOLD_EVERY = 2.0  # seconds
SPARE_BYTES = 200_000_000
"""Left on the disk after a download."""

Tell = Callable[[str], None]
"""Called with what is going on, in words, while it takes long."""


class CheckpointError(EngineUnusable):
    """What is wrong with a model's files, why, and what to do."""


@dataclass(frozen=True)
class Checkpoint:
    origin: str  # as people know it
    info: loaders.CheckpointInfo

    @classmethod
    def obtain(cls, preset: Preset, tell: Tell = logger.info) -> "Checkpoint":
        """The files of a preset, downloaded where need be. Raises `CheckpointError`."""
        if _is_folder(preset.model):
            return cls(preset.model, _info(Path(preset.model).expanduser().resolve()))
        origin = f"{preset.model} ({preset.revision})"
        return cls(origin, _info(Repository(preset.model, preset.revision, tell)))

    def lm(self, device: str, dtype: torch.dtype, **overrides: Any) -> LMModel:
        """The language model, its weights converted to `dtype`. Raises `CheckpointError`, and torch's out of memory."""
        with self._fitting():
            overrides = {**self._as_in_file(), **overrides}
            return self.info.get_moshi(device, dtype, lm_kwargs_overrides=overrides)

    def mimi(self, device: str) -> MimiModel:
        """The codec, in float32. Raises `CheckpointError`."""
        with self._fitting():
            return self.info.get_mimi(device)

    def tokenizer(self) -> Any:
        """The `SentencePieceProcessor` of its text."""
        with self._fitting():
            return self.info.get_text_tokenizer()

    def tts(self, device: str, dtype: torch.dtype, n_q: int) -> TTSModel:
        """All that speaks, with `n_q` audio tokens a frame. Raises `CheckpointError`, and torch's out of memory."""
        with self._fitting():
            return TTSModel.from_checkpoint_info(self.info, n_q=n_q, device=device, dtype=dtype)

    def _as_in_file(self) -> dict[str, Any]:
        """What the file of the weights says of the model and its configuration may not.

        The heads that predict pauses are in the file or not, whatever the configuration says; and the file may lack the
        way into a depformer where there is none.
        """
        with safe_open(self.info.moshi_weights, framework="pt") as weights:
            names = set(weights.keys())
            heads = [name for name in names if name.startswith("extra_heads.")]
            found: dict[str, Any] = {"extra_heads_num_heads": len(heads)}
            if heads:
                found["extra_heads_dim"] = weights.get_slice(heads[0]).get_shape()[0]
        has_depformer = (self.info.lm_config or {}).get("dep_q", 8) > 0
        if not has_depformer and not any(name.startswith("depformer_in.") for name in names):
            found["depformer_multi_linear"] = True  # one way in for each of no codebooks
        return found

    @contextmanager
    def _fitting(self) -> Iterator[None]:
        try:
            yield
        except torch.OutOfMemoryError:
            raise
        except (SafetensorError, OSError) as error:
            raise CheckpointError(
                f"A file of {self.origin} cannot be read: {error}. If a download or a copy was cut off, delete it and "
                "start again."
            ) from error
        except (RuntimeError, TypeError, KeyError, ValueError, AssertionError) as error:
            reason = " ".join(str(error).split())[:300]
            raise CheckpointError(
                f"The weights of {self.origin} do not fit its configuration: {reason}. Are its config.json and its "
                "weights of the same model, and is the moshi package recent enough for it?"
            ) from error


class Repository:
    """A repository of the hub. What was downloaded once is not asked for again: a model does not change under those who
    use it, and starts without a network."""

    def __init__(self, name: str, revision: str, tell: Tell) -> None:
        self.name = name
        self.revision = revision
        self._tell = tell

    def file(self, name: str) -> Path:
        """Raises `CheckpointError`."""
        with self._explained(name):
            cached = huggingface_hub.try_to_load_from_cache(self.name, name, revision=self.revision)
            if isinstance(cached, str):
                return Path(cached)
            with self._progress(name, None if self._is_offline else self._size(name)):
                return Path(huggingface_hub.hf_hub_download(self.name, name, revision=self.revision))

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
            while not ended.wait(TOLD_EVERY):
                have = max((part.stat().st_size for part in self._blobs.glob("*.incomplete")), default=0)
                self._tell(f"downloading {self.name}: {100 * have / size:.0f} % of {name}, {megabytes:,.0f} MB")

        self._tell(f"downloading {self.name}: {name}, {megabytes:,.0f} MB")
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
                f"{self.name} has no file {name} at {self.revision}: it is no model that moshi can load, or another "
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


def _is_folder(model: str) -> bool:
    return model.startswith(("/", "./", "../", "~")) or Path(model).is_dir()


def _info(source: Repository | Path) -> loaders.CheckpointInfo:
    """What moshi knows of a checkpoint, all files of which are here. Raises `CheckpointError`."""
    config_path = _file(source, "config.json")
    try:
        config = json.loads(config_path.read_text())
    except ValueError as error:
        raise CheckpointError(f"{config_path} is no valid JSON: {error}.") from None
    mimi_config = config.get("mimi_config_name")
    return loaders.CheckpointInfo.from_hf_repo(
        "all/given",  # every file is, so the hub is not asked
        config_path=config_path,
        moshi_weights=_file(source, config.get("moshi_name", loaders.MOSHI_NAME)),
        mimi_weights=_file(source, config.get("mimi_name", loaders.MIMI_NAME)),
        tokenizer=_file(source, config.get("tokenizer_name", loaders.TEXT_TOKENIZER_NAME)),
        mimi_config_path=_file(source, mimi_config) if mimi_config else None,
    )


def _file(source: Repository | Path, name: str) -> Path:
    if isinstance(source, Repository):
        return source.file(name)
    path = source / name
    if path.is_file():
        return path
    raise CheckpointError(
        f"There is no file {path}. The folder of a model holds the files of its repository: config.json, the weights "
        "that it names, those of Mimi, and the tokenizer."
    )


def _nearest_folder(path: Path) -> Path:
    return next(folder for folder in (path, *path.parents) if folder.is_dir())
