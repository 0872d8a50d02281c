"""Voices of a text-to-speech model: files that upstream made from recordings, in a folder or a Hugging Face repository.

Each belongs to one checkpoint, named in its file name: `NAME.SIGNATURE@EPOCH.safetensors`. New voices can't be created,
because the encoder that makes them from recordings was never released.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from moshi.conditioners import ConditionAttributes
from moshi.models.tts import TTSModel
from safetensors import SafetensorError, safe_open

from inference.engine import EngineUnusable
from inference.engines.tts.kyutai_voices import describe
from inference.engines.tts.voice_licenses import offered

EMBEDDING = "speaker_wavs"


class VoiceError(EngineUnusable):
    """A voice can't be used; the message says why and what to do."""


class Voices:
    def __init__(self, model: TTSModel, folder: Path, languages: Mapping[str, str], default: str = "") -> None:
        """`languages`: code to name, the model's main language first. Raises `VoiceError` if there are no voices."""
        self._model = model
        files = _files(folder, model.voice_suffix, default)
        if not files:
            raise VoiceError(
                f"No voices for this model in {folder}: voice files must end with {model.voice_suffix}; "
                "voices of other models don't work."
            )
        self.listed = offered(describe(name, languages) for name in files)
        if not self.listed:
            raise VoiceError(
                f"All {len(files)} voices in {folder} are for non-commercial use only. Set "
                "TTS_NONCOMMERCIAL_VOICES=on if your use is not commercial, or add other voices."
            )
        self._files = {voice.name: files[voice.name] for voice in self.listed}
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


def _files(folder: Path, suffix: str, default: str) -> dict[str, Path]:
    """Voice files by voice name, the default voice first."""
    found = {path.relative_to(folder).as_posix().removesuffix(suffix): path for path in folder.rglob(f"*{suffix}")}
    return {name: found[name] for name in sorted(found, key=lambda name: (name != default, name))}
