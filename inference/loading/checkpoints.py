"""A model's files: from a repository of the Hugging Face hub, from its cache, or from a folder; and what moshi makes of
them. Whatever is wrong with them is said in words."""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from moshi.models import LMModel, MimiModel, loaders
from moshi.models.tts import TTSModel
from safetensors import SafetensorError, safe_open

from inference.loading.huggingface import CheckpointError, ReportProgress, Repository, is_folder
from inference.loading.presets import Preset

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Checkpoint:
    origin: str  # as people know it
    info: loaders.CheckpointInfo

    @classmethod
    def obtain(cls, preset: Preset, tell: ReportProgress = logger.info) -> "Checkpoint":
        """The files of a preset, downloaded where need be. Raises `CheckpointError`."""
        if is_folder(preset.model):
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
