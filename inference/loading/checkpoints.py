"""A model's files, from a Hugging Face repository, its cache or a folder, and the moshi objects built from them. Errors
are explained in `CheckpointError`s."""

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
    origin: str  # for messages
    info: loaders.CheckpointInfo

    @classmethod
    def obtain(cls, preset: Preset, report_progress: ReportProgress = logger.info) -> "Checkpoint":
        """The files of a preset, downloaded if missing. Raises `CheckpointError`."""
        if is_folder(preset.model):
            return cls(preset.model, _info(Path(preset.model).expanduser().resolve()))
        origin = f"{preset.model} ({preset.revision})"
        return cls(origin, _info(Repository(preset.model, preset.revision, report_progress)))

    def lm(self, device: str, dtype: torch.dtype, **overrides: Any) -> LMModel:
        """The language model, its weights converted to `dtype`. Raises `CheckpointError`, and torch's out of memory."""
        with self._explained():
            overrides = {**self._config_from_weights(), **overrides}
            return self.info.get_moshi(device, dtype, lm_kwargs_overrides=overrides)

    def mimi(self, device: str) -> MimiModel:
        """The codec, in float32. Raises `CheckpointError`."""
        with self._explained():
            return self.info.get_mimi(device)

    def tokenizer(self) -> Any:
        """The `SentencePieceProcessor` of the text."""
        with self._explained():
            return self.info.get_text_tokenizer()

    def tts(self, device: str, dtype: torch.dtype, n_q: int) -> TTSModel:
        """The TTS model, with `n_q` audio tokens per frame. Raises `CheckpointError`, and torch's out of memory."""
        with self._explained():
            return TTSModel.from_checkpoint_info(self.info, n_q=n_q, device=device, dtype=dtype)

    def _config_from_weights(self) -> dict[str, Any]:
        """Configuration values that the weights file determines and the configuration may lack or contradict.

        These are the pause-prediction heads, and the depformer's input, which may be missing without a depformer.
        """
        with safe_open(self.info.moshi_weights, framework="pt") as weights:
            names = set(weights.keys())
            heads = [name for name in names if name.startswith("extra_heads.")]
            found: dict[str, Any] = {"extra_heads_num_heads": len(heads)}
            if heads:
                found["extra_heads_dim"] = weights.get_slice(heads[0]).get_shape()[0]
        has_depformer = (self.info.lm_config or {}).get("dep_q", 8) > 0
        if not has_depformer and not any(name.startswith("depformer_in.") for name in names):
            found["depformer_multi_linear"] = True  # one input layer per codebook, of which there are none
        return found

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except torch.OutOfMemoryError:
            raise
        except (SafetensorError, OSError) as error:
            raise CheckpointError(
                f"Can't read a file of {self.origin}: {error}. If a download was interrupted, delete the file and "
                "restart."
            ) from error
        except (RuntimeError, TypeError, KeyError, ValueError, AssertionError) as error:
            reason = " ".join(str(error).split())[:300]
            raise CheckpointError(
                f"The weights of {self.origin} don't match its configuration: {reason}. Check that config.json and "
                "weights belong together and that the moshi package is up to date."
            ) from error


def _info(source: Repository | Path) -> loaders.CheckpointInfo:
    """The `CheckpointInfo` of the files in `source`. Raises `CheckpointError`."""
    config_path = _file(source, "config.json")
    try:
        config = json.loads(config_path.read_text())
    except ValueError as error:
        raise CheckpointError(f"{config_path} isn't valid JSON: {error}.") from None
    mimi_config = config.get("mimi_config_name")
    return loaders.CheckpointInfo.from_hf_repo(
        "all/given",  # every file is given, so no request is made
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
        f"{path} not found. A model folder must contain config.json, the model and Mimi weights it names, and the "
        "tokenizer."
    )
