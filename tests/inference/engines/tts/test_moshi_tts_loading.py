"""From a preset to an engine that speaks, and what is said where that cannot be."""

from copy import deepcopy
from pathlib import Path

import pytest
import torch

from inference import engines
from inference.engines.tts.moshi_tts.loading import load
from inference.engines.tts.moshi_tts.voices import VoiceError
from inference.loading.device import DoesNotFit
from inference.loading.huggingface import CheckpointError
from inference.loading.presets import Preset
from tests.support.models import checkpoints

pytestmark = pytest.mark.slow


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


def test_it_is_as_the_preset_says(tts_checkpoint: Path) -> None:
    told: list[str] = []
    engine = load(2, preset(tts_checkpoint, quality="fast"), told.append)
    assert engine.slots == 2
    assert engine.voices[0].name == "stories/bruno"
    assert engine._model.lm.dep_q == 4
    assert engine._model.lm.dtype == torch.bfloat16  # half as much to read as float32
    assert [line.split()[0] for line in told] == ["loading", "reading", "warming"]


def test_a_model_that_hears_cannot_speak(stt_checkpoint: Path) -> None:
    with pytest.raises(CheckpointError, match="do not fit its configuration"):
        load(1, preset(stt_checkpoint))


def test_a_model_that_goes_on_from_a_recording_is_refused_in_words(tmp_path: Path) -> None:
    """As kyutai/tts-0.75b-en-public, which has no voices of its own."""
    config = deepcopy(checkpoints.TTS)
    del config["conditioners"]["speaker_wavs"]
    config["fuser"]["cross"] = []
    config["cross_attention"] = False
    checkpoints._build(tmp_path, config)
    with pytest.raises(CheckpointError, match="no voices to choose from"):
        load(1, preset(tmp_path))


def test_voices_that_are_nowhere_are_missed_in_words(tts_checkpoint: Path, tmp_path: Path) -> None:
    with pytest.raises(VoiceError, match="neither a folder here nor a repository"):
        load(1, preset(tts_checkpoint, voices=str(tmp_path / "nothing")))


def test_too_many_slots_are_refused_before_anything_is_loaded(tmp_path: Path) -> None:
    with pytest.raises(DoesNotFit, match="fewer slots"):
        load(10**9, preset(tmp_path))


def test_what_a_listener_may_choose_is_known_without_the_model() -> None:
    controls = engines.ENGINES["tts-1.6b-en_fr"].controls
    assert [control.name for control in controls] == ["guidance", "temperature", "seed"]
