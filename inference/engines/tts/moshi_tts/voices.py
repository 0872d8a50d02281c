"""Voices of a text-to-speech model: files that upstream made from recordings, in a folder or a Hugging Face repository.

Each belongs to one checkpoint, named in its file name: `NAME.SIGNATURE@EPOCH.safetensors`. New voices can't be created,
because the encoder that makes them from recordings was never released.
"""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from huggingface_hub import errors, snapshot_download
from moshi.conditioners import ConditionAttributes
from moshi.models.tts import TTSModel
from requests import RequestException
from safetensors import SafetensorError, safe_open

from inference.engine import EngineUnusable
from inference.messages import Voice

logger = logging.getLogger(__name__)

EMBEDDING = "speaker_wavs"


class VoiceError(EngineUnusable):
    """A voice can't be used; the message says why and what to do."""


class Voices:
    def __init__(self, model: TTSModel, folder: Path, languages: Mapping[str, str], default: str = "") -> None:
        """`languages`: code to name, the model's main language first. Raises `VoiceError` if there are no voices."""
        self._model = model
        self._files = _files(folder, model.voice_suffix, default)
        if not self._files:
            raise VoiceError(
                f"No voices for this model in {folder}: voice files must end with {model.voice_suffix}; "
                "voices of other models don't work."
            )
        self.listed = [_listed(name, languages) for name in self._files]
        self._shape: tuple[int, ...] | None = None
        self._shape = tuple(self._embedding(self.listed[0].name).shape)  # all have the same number of frames

    def attributes(self, name: str, cfg: float) -> ConditionAttributes:
        """Condition attributes for a voice and a guidance value that the model supports. Raises `VoiceError`."""
        self._embedding(name)
        return self._model.make_condition_attributes([self._files[name]], cfg_coef=cfg)

    def _embedding(self, name: str) -> torch.Tensor:
        """The voice's validated embedding, float32[1, dim, frames]."""
        if name not in self._files:
            raise VoiceError(f"Voice “{name}” not found. See the list of voices.")
        try:
            with safe_open(self._files[name], framework="pt") as file:
                embedding: torch.Tensor = file.get_tensor(EMBEDDING)
        except (SafetensorError, OSError) as error:
            raise VoiceError(
                f"“{name}” isn't a voice file: {error}. Download it again; recordings can't be used."
            ) from error
        self._check(name, embedding)
        return embedding

    def _check(self, name: str, embedding: torch.Tensor) -> None:
        provider: Any = self._model.lm.condition_provider
        dim, shape = provider.conditioners[EMBEDDING].dim, tuple(embedding.shape)
        if shape[:-1] != (1, dim) or (self._shape is not None and shape != self._shape):
            expected = self._shape or (1, dim, "frames")
            raise VoiceError(f"Voice file “{name}” belongs to another model: shape {shape}, expected {expected}.")
        if not torch.isfinite(embedding).all():
            raise VoiceError(f"Voice file “{name}” is corrupt (contains NaN). Download it again.")


def download(source: str, suffix: str) -> Path:
    """The folder of voices: `source` itself, or the local copy of a repository of that name, downloaded if missing.

    Raises `VoiceError`.
    """
    if (folder := Path(source).expanduser()).is_dir():
        return folder.resolve()
    logger.info("voices: checking %s for new ones", source)
    try:
        return Path(snapshot_download(source, allow_patterns=[f"*{suffix}"]))
    except (errors.HFValidationError, errors.RepositoryNotFoundError) as error:
        message = f"“{source}” is neither a local folder nor a Hugging Face repository of voices."
        raise VoiceError(message) from error
    except (errors.HfHubHTTPError, errors.LocalEntryNotFoundError, RequestException, OSError) as error:
        raise VoiceError(
            f"Can't download the voices of {source}: {error}. Check the network and disk space and restart, "
            "or set the folder of a local copy instead."
        ) from error


def _files(folder: Path, suffix: str, default: str) -> dict[str, Path]:
    """Voice files by voice name, the default voice first."""
    found = {path.relative_to(folder).as_posix().removesuffix(suffix): path for path in folder.rglob(f"*{suffix}")}
    return {name: found[name] for name in sorted(found, key=lambda name: (name != default, name))}


def _listed(name: str, languages: Mapping[str, str]) -> Voice:
    """The voice as users see it: of `cml-tts/fr/10087.wav` the language is `fr`, the kind is the collection."""
    *folders, last = name.split("/")
    language = next((folder for folder in folders if folder in languages), next(iter(languages)))
    label = last.removesuffix(".wav").replace("_", " ")
    return Voice(name, label, language, "/".join(folder for folder in folders if folder != language))
