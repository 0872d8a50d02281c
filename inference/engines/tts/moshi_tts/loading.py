"""Create the engine from a preset: load the model and its voices, and choose the number of slots."""

import dataclasses
import logging

import msgspec
import torch

from inference.engines.tts.moshi_tts import MoshiTts
from inference.engines.tts.moshi_tts.voices import Voices, download
from inference.loading.checkpoints import Checkpoint
from inference.loading.device import Device, DoesNotFit, Plan, find_device, plan
from inference.loading.huggingface import CheckpointError, ReportProgress
from inference.loading.presets import Preset, Quality

logger = logging.getLogger(__name__)

CODEBOOKS: dict[Quality, int] = {"fast": 4, "real-time": 8, "high": 16, "higher": 24, "highest": 32}
"""Audio tokens of a frame: each adds detail to the audio, and time to the step."""

MAX_AUTOMATIC_SLOTS = 32
"""Limit of the automatic number. A step computes all slots, so many free ones slow down the others."""


def load(slots: int, preset: Preset, report: ReportProgress = logger.info) -> MoshiTts:
    """`slots`: 0 chooses the number automatically. Raises `EngineUnusable`."""
    device = find_device(preset.device)
    preset = _with_supported_dtype(device, preset)
    intended = plan(preset, device, slots)
    if not (slots or preset.slots):
        intended = dataclasses.replace(intended, slots=min(intended.slots, MAX_AUTOMATIC_SLOTS))
    try:
        return _load(preset, intended, report)
    except torch.OutOfMemoryError as error:
        raise DoesNotFit(
            f"{preset.label} with {intended.slots} slots ran out of memory on {device.name} while loading: {error}. "
            "Use fewer slots (TTS_SLOTS) or free memory."
        ) from error


def _with_supported_dtype(device: Device, preset: Preset) -> Preset:
    """The preset with bfloat16 on the CPU, where there are no int8 weights; float32 has twice as much to read."""
    if device.kind == "cpu" and preset.dtype in ("auto", "int8"):
        return msgspec.structs.replace(preset, dtype="bfloat16")
    return preset


def _load(preset: Preset, intended: Plan, report: ReportProgress) -> MoshiTts:
    checkpoint = Checkpoint.obtain(preset, report)
    report(f"loading {checkpoint.origin} on {intended}")
    model = checkpoint.tts(intended.device.torch_name, intended.torch_dtype, CODEBOOKS[preset.quality])
    if not (model.multi_speaker and model.valid_cfg_conditionings):
        raise CheckpointError(
            f"{checkpoint.origin} has no selectable voices: it continues from a recording, which can't differ per "
            "stream in a batch. Use a model with voices, such as kyutai/tts-1.6b-en_fr."
        )
    report(f"loading voices from {preset.voices}")
    voices = Voices(model, download(preset.voices, model.voice_suffix), preset.languages, preset.default_voice)
    report("warming up")
    return MoshiTts(model, voices, intended.slots)
