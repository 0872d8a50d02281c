"""A model's files, from a Hugging Face repository, its cache or a folder, and the moshi objects built from them. Errors
are explained in `CheckpointError`s."""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import torch
from huggingface_hub import errors
from moshi.models import LMModel, MimiModel, loaders
from moshi.models.tts import TTSModel
from safetensors import SafetensorError, safe_open

from inference.loading.huggingface import CheckpointError, ReportProgress, Repository, is_folder
from inference.loading.model_config import USAGE_KEYS, has_shape, why_unusable, with_delay_and_slot
from inference.loading.presets import Architecture, Preset
from inference.loading.quantization import quantize

logger = logging.getLogger(__name__)

ARCHITECTURES: dict[Architecture, dict[str, Any]] = {
    "moshi-7b": loaders._lm_kwargs,
    # NVIDIA's loader (github.com/NVIDIA/personaplex, moshi/moshi/models/loaders.py): it also predicts the user's audio.
    "personaplex-7b": {**loaders._lm_kwargs, "dep_q": 16},
}
"""The shapes of models whose repositories don't state them, as in config.json."""


@dataclass(frozen=True)
class Checkpoint:
    origin: str  # for messages
    info: loaders.CheckpointInfo

    @classmethod
    def obtain(cls, preset: Preset, report_progress: ReportProgress = logger.info) -> "Checkpoint":
        """The files of a preset, downloaded if missing: the configuration first, the weights last, and none but the
        configuration if the preset's engine can't run the model. Raises `CheckpointError`."""
        source = _source(preset, report_progress)
        return cls(_origin(preset), _info(source, _config(source, preset)))

    def lm(self, device: str, dtype: torch.dtype, **overrides: Any) -> LMModel:
        """The language model, its weights converted to `dtype`. Raises `CheckpointError`, and torch's out of memory."""
        with _explained(self.origin):
            overrides = {**self._config_from_weights(), **overrides}
            return self.info.get_moshi(device, dtype, lm_kwargs_overrides=overrides)

    def mimi(self, device: str) -> MimiModel:
        """The codec, in float32. Raises `CheckpointError`."""
        with _explained(self.origin):
            return self.info.get_mimi(device)

    def tokenizer(self) -> Any:
        """The `SentencePieceProcessor` of the text."""
        with _explained(self.origin):
            return self.info.get_text_tokenizer()

    def tts(self, device: str, dtype: torch.dtype, n_q: int) -> TTSModel:
        """The TTS model, with `n_q` audio tokens per frame. Raises `CheckpointError`, and torch's out of memory."""
        with _explained(self.origin):
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
        if any(name.startswith("audio_embs.") for name in names):
            raise CheckpointError(
                f"The weights of {self.origin} are in the format of MLX. Use those of the repository for PyTorch."
            )
        has_depformer = (self.info.lm_config or {}).get("dep_q", 8) > 0
        if not has_depformer and not any(name.startswith("depformer_in.") for name in names):
            found["depformer_multi_linear"] = True  # one input layer per codebook, of which there are none
        return found


def with_model_values(preset: Preset, report_progress: ReportProgress = logger.info) -> Preset:
    """The preset with the delay and the sizes of the model that is really there, from its configuration, which is
    downloaded if missing: the numbers of the preset are those of its own model, not of STT_MODEL.

    Raises `CheckpointError`, also for a model that the preset's engine can't run.
    """
    config = _config(_source(preset, report_progress), preset)
    with _explained(_origin(preset)):
        lm = loaders.get_moshi_lm(None, _architecture(config), device="meta", lm_kwargs_overrides={"lora": False})
        parameters = sum(parameter.numel() for parameter in lm.parameters())
        quantize(lm, torch.device("meta"))
        unquantized = sum(parameter.numel() for parameter in lm.parameters())
        sizes = {"params_billions": parameters / 1e9, "unquantized_billions": unquantized / 1e9}
        return msgspec.structs.replace(with_delay_and_slot(config, preset), **sizes)


@contextmanager
def _explained(origin: str) -> Iterator[None]:
    try:
        yield
    except torch.OutOfMemoryError:
        raise
    except (SafetensorError, OSError) as error:
        raise CheckpointError(
            f"Can't read a file of {origin}: {error}. If a download was interrupted, delete the file and restart."
        ) from error
    except (RuntimeError, TypeError, KeyError, ValueError, AssertionError) as error:
        reason = " ".join(str(error).split())[:300]
        raise CheckpointError(
            f"The weights of {origin} don't match its configuration: {reason}. Check that config.json and "
            "weights belong together and that the moshi package is up to date."
        ) from error


# --- Files ------------------------------------------------------------------------------------------------------------

Source = Repository | Path


def _source(preset: Preset, report_progress: ReportProgress) -> Source:
    if is_folder(preset.model):
        return Path(preset.model).expanduser().resolve()
    return Repository(preset.model, preset.revision, report_progress)


def _origin(preset: Preset) -> str:
    return preset.model if is_folder(preset.model) else f"{preset.model} ({preset.revision})"


def _config(source: Source, preset: Preset) -> dict[str, Any]:
    """The model's configuration, with the preset's architecture if it has none. Raises `CheckpointError`."""
    config: dict[str, Any] = {}
    if path := _optional(source, "config.json") if preset.architecture else _config_file(source):
        try:
            config = json.loads(path.read_text())
        except ValueError as error:
            raise CheckpointError(f"{path} isn't valid JSON: {error}.") from None
        if not isinstance(config, dict):
            raise CheckpointError(f"{path} isn't a model's configuration: it isn't a JSON object.")
    if preset.architecture and not has_shape(config):
        config = {key: config[key] for key in USAGE_KEYS if key in config} | ARCHITECTURES[preset.architecture]
    if reason := why_unusable(config, preset):
        raise CheckpointError(f"{_origin(preset)} can't be used. {reason}")
    return config


def _architecture(config: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in config.items() if key not in USAGE_KEYS}


def _info(source: Source, config: dict[str, Any]) -> loaders.CheckpointInfo:
    """The `CheckpointInfo` of the files in `source`, small files first. Raises `CheckpointError`."""
    mimi_config, lora = config.get("mimi_config_name"), config.get("lora_name")
    names = {
        "tokenizer": config.get("tokenizer_name", loaders.TEXT_TOKENIZER_NAME),
        "mimi_config": mimi_config,
        "mimi_weights": config.get("mimi_name", loaders.MIMI_NAME),
        "lora_weights": lora,
        "moshi_weights": config.get("moshi_name", loaders.MOSHI_NAME),
    }
    if isinstance(source, Repository):
        source.check_files([name for name in names.values() if name])
    files: dict[str, Any] = {key: _file(source, name) for key, name in names.items() if name}
    if mimi_config:
        files["mimi_config"] = json.loads(files["mimi_config"].read_text())
    usage = ("model_type", "model_id", "lm_gen_config", "stt_config", "tts_config")
    return loaders.CheckpointInfo(
        lm_config=_architecture(config),
        raw_config=config,
        **files,
        **{key: config[key] for key in usage if key in config},
    )


def _config_file(source: Source) -> Path:
    try:
        return _file(source, "config.json")
    except CheckpointError as error:
        cause = error.__cause__
        if isinstance(source, Repository) and (
            not isinstance(cause, errors.EntryNotFoundError) or isinstance(cause, errors.LocalEntryNotFoundError)
        ):
            raise
        names = source.names() if isinstance(source, Repository) else [path.name for path in source.glob("*")]
        if any(name.endswith(".gguf") for name in names):
            hint = "Its .gguf files are for llama.cpp; use a repository with .safetensors files."
        elif loaders.MOSHI_NAME in names:
            hint = "If it is one of Kyutai's first models, set `architecture` in its preset (docs/engines.md)."
        else:
            raise
        raise CheckpointError(f"{error} {hint}") from error


def _optional(source: Source, name: str) -> Path | None:
    if isinstance(source, Repository):
        return source.optional(name)
    return path if (path := source / name).is_file() else None


def _file(source: Source, name: str) -> Path:
    if isinstance(source, Repository):
        return source.file(name)
    path = source / name
    if path.is_file():
        return path
    raise CheckpointError(
        f"{path} not found. A model folder must contain config.json, the model and Mimi weights it names, and the "
        "tokenizer."
    )
