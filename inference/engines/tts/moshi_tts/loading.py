"""From a preset to an engine that speaks: the model's files, its voices, and as many slots as are of use."""

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
"""So many tokens make a frame of audio: each adds detail to the sound, and time to the step."""

MOST_SLOTS = 32
"""Where the number is automatic. A step computes all slots, taken or not: many that are free slow down all others."""


def load(slots: int, preset: Preset, tell: ReportProgress = logger.info) -> MoshiTts:
    """`slots`: 0 for as many as are of use. Raises `EngineUnusable`."""
    device = find_device(preset.device)
    preset = _in_a_precision_for(device, preset)
    intended = plan(preset, device, slots)
    if not (slots or preset.slots):
        intended = dataclasses.replace(intended, slots=min(intended.slots, MOST_SLOTS))
    try:
        return _load(preset, intended, tell)
    except torch.OutOfMemoryError as error:
        raise DoesNotFit(
            f"{preset.label} with {intended.slots} slots ran out of memory on {device.name} while it was loaded: "
            f"{error}. Give it fewer slots (TTS_SLOTS), or free memory there."
        ) from error


def _in_a_precision_for(device: Device, preset: Preset) -> Preset:
    """On the CPU this model has no int8 weights, and in bfloat16 there is half as much to read as in float32."""
    if device.kind == "cpu" and preset.dtype in ("auto", "int8"):
        return msgspec.structs.replace(preset, dtype="bfloat16")
    return preset


def _load(preset: Preset, intended: Plan, tell: ReportProgress) -> MoshiTts:
    checkpoint = Checkpoint.obtain(preset, tell)
    tell(f"loading {checkpoint.origin} on {intended}")
    model = checkpoint.tts(intended.device.torch_name, intended.torch_dtype, CODEBOOKS[preset.quality])
    if not (model.multi_speaker and model.valid_cfg_conditionings):
        raise CheckpointError(
            f"{checkpoint.origin} has no voices to choose from: it goes on from a recording, which cannot be another "
            "for each stream of a batch. Use a model with voices, as kyutai/tts-1.6b-en_fr."
        )
    tell(f"reading the voices in {preset.voices}")
    voices = Voices(model, download(preset.voices, model.voice_suffix), preset.languages, preset.default_voice)
    tell("warming up")
    return MoshiTts(model, voices, intended.slots)
