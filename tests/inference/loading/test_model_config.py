"""A model's config.json: the values it determines, and models that the preset's engine can't run."""

import json
import re

import msgspec
import pytest

from inference.loading import presets
from inference.loading.model_config import why_unusable, with_delay_and_slot
from tests.support.environment import ROOT

PRESETS = presets.load({})
STT, TTS = PRESETS["stt-1b-en_fr"], PRESETS["tts-1.6b-en_fr"]


def config_of(name: str) -> dict[str, object]:
    return json.loads((ROOT / f"tests/support/models/released/{name}.json").read_text())


STT_CONFIG, TTS_CONFIG = config_of("stt-1b-en_fr-candle"), config_of("tts-1.6b-en_fr")


@pytest.mark.parametrize(
    ("config", "preset"),
    [("stt-1b-en_fr-candle", "stt-1b-en_fr"), ("stt-2.6b-en", "stt-2.6b-en"), ("tts-1.6b-en_fr", "tts-1.6b-en_fr")],
)
def test_a_preset_has_the_values_of_its_model(config, preset):
    assert why_unusable(config_of(config), PRESETS[preset]) == ""
    assert with_delay_and_slot(config_of(config), PRESETS[preset]) == PRESETS[preset]


@pytest.mark.parametrize(("seconds", "frames"), [(0.5, 6), (2.5, 32), (1, 13), (5.0, 63), (None, 9)])
def test_the_delay_is_the_models(seconds, frames):
    """Without one in the configuration, it is the preset's."""
    config = STT_CONFIG | {"stt_config": {"audio_delay_seconds": seconds}}
    assert with_delay_and_slot(config, msgspec.structs.replace(STT, delay=9)).delay == frames


@pytest.mark.parametrize(("own", "preset", "expected"), [(0.0, 1.0, 1.0), (2.0, 1.0, 2.0), (0.0, 0.0, 0.0)])
def test_the_silence_before_a_stream_is_at_least_the_presets(own, preset, expected):
    config = STT_CONFIG | {"stt_config": {"audio_delay_seconds": 0.5, "audio_silence_prefix_seconds": own}}
    assert with_delay_and_slot(config, msgspec.structs.replace(STT, silence_prefix=preset)).silence_prefix == expected


def quality(name: str) -> presets.Preset:
    return msgspec.structs.replace(TTS, quality=name)


NO_TYPE = {"model_type": ""}
SMALL_TTS = {"dep_q": 16, "n_q": 16}


@pytest.mark.parametrize(
    ("preset", "config", "message"),
    [
        (STT, TTS_CONFIG, "It is a text-to-speech model, not a speech-to-text model. Set STT_MODEL"),
        (STT, STT_CONFIG | {"model_type": "hibiki"}, "It is a model that translates speech"),
        (STT, STT_CONFIG | {"model_type": "moshi"}, "It is a dialogue model"),
        (STT, STT_CONFIG | NO_TYPE | {"dep_q": 8}, "It is a model that generates or delays audio"),
        (STT, STT_CONFIG | {"delays": [0, *[2] * 32]}, "It is a model that generates or delays audio"),
        (STT, STT_CONFIG | {"architectures": ["KyutaiSpeechToText"]}, "transformers library. .*without “-trfs”"),
        (STT, STT_CONFIG | {"quantization": {"bits": 4}}, "the format of MLX. .*without “-mlx”"),
        (msgspec.structs.replace(STT, model="kyutai/stt-1b-en_fr-mlx"), STT_CONFIG, "the format of MLX"),
        (STT, STT_CONFIG | {"moshi_name": "model.q8.safetensors"}, "Its weights are quantized"),
        (STT, STT_CONFIG | {"moshi_name": "model.gguf"}, r"llama.cpp \(GGUF\)"),
        (STT, {"model_type": "stt", "dim": 64}, r"lacks the shape .*num_layers.*dep_q.* `architecture` in the preset"),
        (TTS, STT_CONFIG, "It is a speech-to-text model, not a text-to-speech model. Set TTS_MODEL"),
        (TTS, STT_CONFIG | NO_TYPE, "It is a model that generates no audio"),
        (TTS, config_of("tts-0.75b-en-public"), "^It has no selectable voices: .* such as kyutai/tts-1.6b-en_fr.$"),
        (
            quality("higher"),
            config_of("tts-0.75b-en-public"),
            "no selectable voices.* TTS_QUALITY=higher needs 24 audio tokens per frame, but the model has 16.",
        ),
        (quality("higher"), TTS_CONFIG | SMALL_TTS, r"^TTS_QUALITY=higher needs 24 .* Set TTS_QUALITY=high\.$"),
    ],
)
def test_a_model_that_the_engine_cannot_run_is_rejected_with_the_reason(preset, config, message):
    assert re.search(message, why_unusable(config, preset))


def test_a_quality_that_the_model_has_is_accepted():
    assert why_unusable(TTS_CONFIG | SMALL_TTS, quality("high")) == ""
