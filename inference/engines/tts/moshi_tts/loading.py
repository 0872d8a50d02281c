"""Create the engine from a preset: load the model and its voices, and choose the number of slots."""

import dataclasses
import logging

import torch
from moshi.models.tts import TTSModel

from inference.engines.tts.kyutai_voices import describe
from inference.engines.tts.moshi_tts import MoshiTts, initial_attributes
from inference.engines.tts.moshi_tts.batch import Batch
from inference.engines.tts.moshi_tts.voices import Voices
from inference.engines.tts.voice_licenses import offers_noncommercial
from inference.loading.checkpoints import Checkpoint, with_model_values
from inference.loading.device import DoesNotFit, Plan, find_device, plan
from inference.loading.huggingface import ReportProgress
from inference.loading.presets import CODEBOOKS, Preset
from inference.loading.quantization import quantize
from inference.loading.step_time import find_slots
from inference.loading.voice_download import Selection, download
from inference.messages import SlotLimits

logger = logging.getLogger(__name__)

MAX_AUTOMATIC_SLOTS = 32
"""Limit of the automatic number, even if more would be in real time. A step computes all slots, so many free ones slow
down the others."""


def load(slots: int, preset: Preset, report: ReportProgress = logger.info) -> MoshiTts:
    """`slots`: 0 chooses the number automatically. Raises `EngineUnusable`."""
    device = find_device(preset.device)
    preset = with_model_values(preset, report)
    intended = plan(preset, device, slots)
    if intended.is_automatic:
        intended = dataclasses.replace(intended, slots=min(intended.slots_to_measure, MAX_AUTOMATIC_SLOTS))
    try:
        return _load(preset, intended, report)
    except torch.OutOfMemoryError as error:
        raise DoesNotFit(
            f"{preset.label} with {intended.slots} slots ran out of memory on {device.name} while loading: {error}. "
            "Use fewer slots (TTS_SLOTS) or free memory."
        ) from error


def _load(preset: Preset, intended: Plan, report: ReportProgress) -> MoshiTts:
    checkpoint = Checkpoint.obtain(preset, report)
    report(f"loading {checkpoint.origin} on {intended}")
    model = checkpoint.tts(intended.load_device, intended.torch_dtype, CODEBOOKS[preset.quality])
    if intended.dtype == "int8":
        quantize(model.lm, torch.device(intended.device.torch_name))
        model.mimi.to(intended.device.torch_name)
    report(f"loading voices from {preset.voices}")
    folder = download(preset.voices, preset.voices_revision, _selects_voices(preset, model.voice_suffix), report)
    voices = Voices(model, folder, preset.languages, preset.default_voice)
    if not intended.is_automatic:
        report("warming up")
        return MoshiTts(model, voices, intended.slots)
    report("measuring steps")
    slots = _find_slots(model, voices, intended.slots)
    limits = SlotLimits(intended.memory_slots, slots)
    logger.info("%s: %s", preset.name, limits)
    report("warming up")
    return MoshiTts(model, voices, slots, limits)


def _find_slots(model: TTSModel, voices: Voices, slots: int) -> int:
    """The largest number, of at most `slots`, with which steps leave a reserve in real time."""

    def measure(size: int) -> float:
        batch = Batch(model, size, initial_attributes(model, voices))
        batch.stop()
        return batch.step_seconds

    return find_slots(measure, slots)


def _selects_voices(preset: Preset, suffix: str) -> Selection:
    """Selects the files of the voices that the engine offers."""
    all_licenses = offers_noncommercial()

    def selects(file: str) -> bool:
        if not file.endswith(suffix):
            return False
        return all_licenses or not describe(file.removesuffix(suffix), preset.languages).is_noncommercial

    return selects
