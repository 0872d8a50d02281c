"""The voices of a text-to-speech model: files that upstream made of recordings, in a folder or a repository of the hub.

Each is for one checkpoint, which its name says: `NAME.SIGNATURE@EPOCH.safetensors`. New ones cannot be made: what makes
them of a recording was never released.
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
    """Why something cannot be spoken in a voice, and what to do, in words."""


class Voices:
    def __init__(self, model: TTSModel, folder: Path, languages: Mapping[str, str], default: str = "") -> None:
        """`languages` of the model, code to name, its main one first. Raises `VoiceError` if no voice is there."""
        self._model = model
        self._files = _files(folder, model.voice_suffix, default)
        if not self._files:
            raise VoiceError(
                f"There are no voices for this model in {folder}: their files' names end with {model.voice_suffix}, "
                "and those of another model do not fit."
            )
        self.listed = [_listed(name, languages) for name in self._files]
        self._shape: tuple[int, ...] | None = None
        self._shape = tuple(self._embedding(self.listed[0].name).shape)  # all have as many frames

    def attributes(self, name: str, cfg: float) -> ConditionAttributes:
        """What to condition the model on: a voice, and one of the values of guidance it knows. Raises `VoiceError`."""
        self._embedding(name)
        return self._model.make_condition_attributes([self._files[name]], cfg_coef=cfg)

    def _embedding(self, name: str) -> torch.Tensor:
        """float32[1, dim, frames], read and found to be what it should be."""
        if name not in self._files:
            raise VoiceError(f"There is no voice “{name}”. The list of voices has the names that there are.")
        try:
            with safe_open(self._files[name], framework="pt") as file:
                embedding: torch.Tensor = file.get_tensor(EMBEDDING)
        except (SafetensorError, OSError) as error:
            raise VoiceError(
                f"The file of the voice “{name}” is no voice: {error}. Download it again; a recording is not one."
            ) from error
        self._check(name, embedding)
        return embedding

    def _check(self, name: str, embedding: torch.Tensor) -> None:
        provider: Any = self._model.lm.condition_provider
        dim, shape = provider.conditioners[EMBEDDING].dim, tuple(embedding.shape)
        if shape[:-1] != (1, dim) or (self._shape is not None and shape != self._shape):
            wanted = self._shape or (1, dim, "frames")
            raise VoiceError(
                f"The file of the voice “{name}” is for another model: its shape is {shape}, not {wanted}."
            )
        if not torch.isfinite(embedding).all():
            raise VoiceError(
                f"The file of the voice “{name}” is damaged: it has numbers that are none. Download it again."
            )


def download(source: str, suffix: str) -> Path:
    """The folder of voices: `source` itself, or what is downloaded of a repository of that name, once.

    Raises `VoiceError`.
    """
    if (folder := Path(source).expanduser()).is_dir():
        return folder.resolve()
    logger.info("voices: looking for new ones in %s", source)
    try:
        return Path(snapshot_download(source, allow_patterns=[f"*{suffix}"]))
    except (errors.HFValidationError, errors.RepositoryNotFoundError) as error:
        raise VoiceError(f"“{source}” is neither a folder here nor a repository of voices on the hub.") from error
    except (errors.HfHubHTTPError, errors.LocalEntryNotFoundError, RequestException, OSError) as error:
        raise VoiceError(
            f"The voices of {source} cannot be downloaded: {error}. Check the network and the room on the disk, and "
            "start again; or copy their files here, and give their folder instead of the name."
        ) from error


def _files(folder: Path, suffix: str, default: str) -> dict[str, Path]:
    """The files by the names of their voices, the default one first."""
    found = {path.relative_to(folder).as_posix().removesuffix(suffix): path for path in folder.rglob(f"*{suffix}")}
    return {name: found[name] for name in sorted(found, key=lambda name: (name != default, name))}


def _listed(name: str, languages: Mapping[str, str]) -> Voice:
    """As people see it: of `cml-tts/fr/10087.wav` the language is `fr`, and its kind the collection it is from."""
    *folders, last = name.split("/")
    language = next((folder for folder in folders if folder in languages), next(iter(languages)))
    label = last.removesuffix(".wav").replace("_", " ")
    return Voice(name, label, language, "/".join(folder for folder in folders if folder != language))
