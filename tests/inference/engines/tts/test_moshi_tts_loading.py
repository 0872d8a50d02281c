"""Loading the engine from a preset, and the errors when that fails."""

import shutil
from copy import deepcopy
from pathlib import Path

import pytest
import torch

from inference.engines import registry
from inference.engines.tts.moshi_tts.loading import load
from inference.loading.device import DoesNotFit
from inference.loading.huggingface import CheckpointError
from inference.loading.presets import Preset
from inference.loading.quantization import Int8Linear
from tests.support.models import checkpoints

pytestmark = pytest.mark.models


def preset(model: Path, **changes: object) -> Preset:
    values = {
        "name": "tiny",
        "kind": "tts",
        "label": "Tiny",
        "languages": {"en": "English"},
        "model": str(model),
        "voices": str(model / "voices"),
        "default_voice": "stories/bruno",
        "device": "cpu",
        "params_billions": 0.001,
        "slot_mb": 1,
        "download_mb": 4,
    }
    return Preset(**{**values, **changes})


def test_the_engine_follows_the_preset(tts_checkpoint: Path) -> None:
    reports: list[str] = []
    wrong_size = 1e6  # only the model's own counts
    engine = load(2, preset(tts_checkpoint, quality="fast", params_billions=wrong_size), reports.append)
    assert engine.slots == 2
    assert engine.voices[0].name == "stories/bruno"
    assert engine._model.lm.dep_q == 4
    assert isinstance(engine._model.lm.text_linear, Int8Linear)  # a quarter as much to read as float32
    assert [line.split()[0] for line in reports] == ["loading", "loading", "warming"]


def test_the_dtype_can_be_selected(tts_checkpoint: Path) -> None:
    lm = load(1, preset(tts_checkpoint, quality="fast", dtype="bfloat16"))._model.lm
    assert {parameter.dtype for name, parameter in lm.named_parameters() if not name.startswith("condition")} == {
        torch.bfloat16
    }


def test_a_speech_to_text_model_is_rejected(stt_checkpoint: Path) -> None:
    with pytest.raises(CheckpointError, match="It is a speech-to-text model, not a text-to-speech model"):
        load(1, preset(stt_checkpoint))


def test_a_model_that_continues_from_a_recording_is_rejected(tmp_path: Path) -> None:
    """For example kyutai/tts-0.75b-en-public, which has no voices."""
    config = deepcopy(checkpoints.TTS)
    del config["conditioners"]["speaker_wavs"]
    config["fuser"]["cross"] = []
    config["cross_attention"] = False
    checkpoints._build(tmp_path, config)
    with pytest.raises(CheckpointError, match="no selectable voices"):
        load(1, preset(tmp_path))


def test_a_missing_source_of_voices_is_reported(tts_checkpoint: Path, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="neither a local folder nor a Hugging Face repository"):
        load(1, preset(tts_checkpoint, voices=str(tmp_path / "nothing")))


def test_too_many_slots_are_rejected_before_loading(tts_checkpoint: Path, tmp_path: Path) -> None:
    shutil.copy(tts_checkpoint / "config.json", tmp_path)
    with pytest.raises(DoesNotFit, match="fewer slots"):
        load(10**9, preset(tmp_path))


def test_controls_are_known_without_the_model() -> None:
    controls = registry.ENGINES["tts-1.6b-en_fr"].controls
    assert [control.name for control in controls] == ["guidance", "temperature", "seed"]
