"""Checkpoints of Kyutai's models without their weights, which the real loading code reads.

Full size: the released configurations, and files with the names, dtypes and shapes of the released tensors. The files
are sparse; their values are drawn on the device while moshi loads them, the same for each load, so nothing of several
gigabytes is read or written. Small: the complete checkpoints of the tests.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import prod
from pathlib import Path
from typing import Any
from unittest import mock

import msgspec
import torch
from moshi.models import LMModel, MimiModel, loaders
from safetensors import safe_open
from safetensors.torch import save_file
from torch import nn

from inference.loading import presets
from inference.loading.presets import Preset
from tests.support.models import checkpoints, released_checkpoints

STT_1B, STT_2_6B, TTS = "stt-1b-en_fr", "stt-2.6b-en", "tts-1.6b-en_fr"
RELEASED = {STT_1B: "stt-1b-en_fr-candle", STT_2_6B: STT_2_6B, TTS: TTS}
"""Name of the released checkpoint of each preset."""
VOICE = "voice"
VOICE_SHAPE = (1, 512, 125)


class Checkpoints:
    def __init__(self, folder: Path, device: str, *, small: bool) -> None:
        self.device = device
        self.small = small
        self._folder = folder

    def preset(self, name: str, **values: Any) -> Preset:
        """The preset with a checkpoint of its model, on the device that is checked."""
        folder = self._folder_of(name)
        values = {"model": str(folder), "voices": str(folder / "voices"), "device": self.device, **values}
        return msgspec.structs.replace(presets.load({})[name], default_voice="", **values)

    def voices(self, name: str) -> Path:
        return self._folder_of(name) / "voices"

    @contextmanager
    def loaded(self) -> Iterator[None]:
        """The block in which moshi can load these checkpoints; small ones sooner than usual."""
        if not self.small:
            with mock.patch.object(loaders, "load_file", _random_tensors):
                yield
            return
        with (
            mock.patch.object(LMModel, "_init_weights", _except_on_meta(LMModel._init_weights)),
            mock.patch.object(nn.Embedding, "reset_parameters", _except_on_meta(nn.Embedding.reset_parameters)),
        ):
            yield

    def dialogue(self) -> tuple[MimiModel, LMModel]:
        """Moshi itself, whose released repository has no config.json: the package knows its shape."""
        if self.small:
            folder = self._folder / "dialogue"
            if not (folder / "config.json").exists():
                checkpoints.build_dialogue(folder)
            info = checkpoints.checkpoint_info(folder)
            return info.get_mimi(self.device), info.get_moshi(self.device, torch.float32)
        lm = loaders.get_moshi_lm(None, None, device="meta", dtype=torch.bfloat16).to_empty(device=self.device)
        mimi = loaders.get_mimi(None, None, device=self.device, num_codebooks=8)
        for model in (lm, mimi):
            _fill(model)
        return mimi, lm

    def _folder_of(self, name: str) -> Path:
        return self._small(name) if self.small else self._released(name)

    def _released(self, name: str) -> Path:
        folder = self._folder / name
        if not folder.exists():
            released_checkpoints.build(RELEASED[name], folder)
            _write_voice(folder / "voices")
        return folder

    def _small(self, name: str) -> Path:
        kind, build = ("tts", checkpoints.build_tts) if name == TTS else ("stt", checkpoints.build_stt)
        folder = self._folder / kind
        return folder if (folder / "config.json").exists() else build(folder)


def _except_on_meta(initialize: Callable[[nn.Module], None]) -> Callable[[nn.Module], None]:
    """`initialize` for modules whose weights have values; without them it would take half of a rehearsal."""

    def run(module: nn.Module) -> None:
        if next(module.parameters()).device.type != "meta":
            initialize(module)

    return run


def _write_voice(folder: Path) -> None:
    folder.mkdir()
    embedding = torch.randn(VOICE_SHAPE, generator=torch.Generator().manual_seed(0))
    save_file({"speaker_wavs": embedding}, folder / f"{VOICE}.1e68beda@240.safetensors")


def _random_tensors(path: Path, device: str) -> dict[str, torch.Tensor]:
    """The tensors that the header of a safetensors file lists."""
    torch.manual_seed(0)
    with safe_open(path, "pt") as file:
        slices = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
    dtypes = released_checkpoints.DTYPES
    return {
        name: _random(name, torch.empty(tensor.get_shape(), dtype=dtypes[tensor.get_dtype()], device=device))
        for name, tensor in slices.items()
    }


def _fill(model: nn.Module) -> None:
    torch.manual_seed(0)
    for name, tensor in model.state_dict().items():
        _random(name, tensor)


def _random(name: str, tensor: torch.Tensor) -> torch.Tensor:
    """Fill a tensor so that its layer keeps the size of its input: then codes and tokens depend on the audio, as with
    trained weights."""
    with torch.no_grad():
        if name.endswith("bias"):
            return tensor.zero_()
        if tensor.dim() < 2 or tensor.shape[:2] == (1, 1):  # of a norm, a scale, or how often a code was used
            return tensor.fill_(1)
        if "emb" in name:
            return tensor.normal_(0, 1 if name.endswith("embedding_sum") else 0.3)
        tensor.normal_(0, prod(tensor.shape[1:]) ** -0.5)
        if name == "text_linear.weight":
            tensor[[0, 3]] *= 4  # a trained model writes these two, padding and the start of a word, most of the time
        return tensor
