"""What a checkpoint's config.json says of its model, before the weights are there: whether the engine of a preset can
run it, the delay of its text, and the size of a slot."""

import re
from collections.abc import Iterator, Mapping
from math import ceil
from typing import Any

import msgspec

from inference.loading.presets import CODEBOOKS, Preset

Config = Mapping[str, Any]

USAGE_KEYS = (
    "moshi_name",
    "mimi_name",
    "mimi_config_name",
    "tokenizer_name",
    "lora_name",
    "model_type",
    "model_id",
    "lm_gen_config",
    "stt_config",
    "tts_config",
)
"""Keys that describe the use of the model; all others are its architecture, arguments of moshi's `LMModel`."""
SHAPE_KEYS = ("dim", "num_heads", "num_layers", "context", "n_q", "dep_q")

FRAME_RATE = 12.5  # Hz
DELAYS = {0.5: 6, 2.5: 32}
"""Frames for the delays of Kyutai's own models, by seconds: `asr_delay_in_tokens` in the configurations of its server.
0.5 s are 6.25 frames, which the server rounds down. Other delays are rounded up: one that is too long costs a frame,
one that is too short the last words."""

VOICE_FRAMES, VOICES_PER_MODEL = 125, 5
"""A text-to-speech model attends to the 10 s of a voice, in an array for as many speakers as it was trained with."""
CODEC_MB = {"stt": 8.24, "tts": 16.5, "dialogue": 16.5}
"""Mimi's state of a slot in float32; speech to text needs the encoder only."""

_MODEL_TYPES = {
    "stt": "a speech-to-text model",
    "tts": "a text-to-speech model",
    "hibiki": "a model that translates speech",
    "moshi": "a dialogue model",
    "personaplex": "a dialogue model",
}
_EXAMPLES = {"stt": "kyutai/stt-1b-en_fr-candle", "tts": "kyutai/tts-1.6b-en_fr"}


def has_shape(config: Config) -> bool:
    return all(isinstance(config.get(key), int) for key in SHAPE_KEYS)


def why_unusable(config: Config, preset: Preset) -> str:
    """Why the preset's engine can't run this model, and what to do; empty if it can."""
    return _foreign_format(config, preset.model) or _missing_shape(config) or " ".join(_unsuitable(config, preset))


def with_delay_and_slot(config: Config, preset: Preset) -> Preset:
    """The preset with the size of a slot of this model, and for speech to text its delay and the silence before a
    stream, which is at least the preset's."""
    changes: dict[str, Any] = {"slot_mb": slot_mb(config, preset)}
    usage = config.get("stt_config") or {}
    if preset.kind == "stt" and (seconds := usage.get("audio_delay_seconds")) is not None:
        changes["delay"] = DELAYS.get(seconds, ceil(seconds * FRAME_RATE))
        changes["silence_prefix"] = max(preset.silence_prefix, usage.get("audio_silence_prefix_seconds", 0.0))
    return msgspec.structs.replace(preset, **changes)


def slot_mb(config: Config, preset: Preset) -> int:
    """Megabytes of a slot's state in bfloat16: keys and values of each layer, and the codec."""
    frames = config["context"] + (VOICE_FRAMES * VOICES_PER_MODEL if config.get("cross_attention") else 0)
    values = frames * config["num_layers"] * config["dim"]
    values += config["dep_q"] * config.get("depformer_num_layers", 6) * config.get("depformer_dim", 256)
    return ceil(values * 2 * 2 / 1e6 + CODEC_MB[preset.kind])


def _foreign_format(config: Config, model: str) -> str:
    weights = str(config.get("moshi_name", ""))
    if "architectures" in config or "transformers_version" in config:
        return "It is in the format of the transformers library. Use the repository without “-trfs” in its name."
    if "quantization" in config or re.search(r"-mlx(-|$)", model) or "mlx" in weights:
        return "It is in the format of MLX. Use the repository without “-mlx” in its name."
    if weights.endswith(".gguf"):
        return "It is in the format of llama.cpp (GGUF). Use a repository with .safetensors files."
    if config.get("quantize") or re.search(r"\.q\d+\.safetensors$", weights):
        return "Its weights are quantized. Use the repository with bfloat16 weights."
    return ""


def _missing_shape(config: Config) -> str:
    if has_shape(config):
        return ""
    missing = [key for key in SHAPE_KEYS if not isinstance(config.get(key), int)]
    return (
        f"Its config.json lacks the shape of the model ({', '.join(missing)}). Use one of Kyutai's repositories for "
        "PyTorch, or set `architecture` in the preset if it is Moshi 7B or PersonaPlex 7B."
    )


def _unsuitable(config: Config, preset: Preset) -> Iterator[str]:
    model_type = config.get("model_type", preset.kind)
    if model_type in _MODEL_TYPES and preset.kind in _EXAMPLES and model_type != preset.kind:
        yield _wrong_kind(_MODEL_TYPES[model_type], preset)
    elif preset.kind == "stt":
        if config["dep_q"] or any(config.get("delays") or ()):
            yield _wrong_kind("a model that generates or delays audio", preset)
    elif preset.kind == "tts":
        yield from _unsuitable_speech(config, preset)


def _unsuitable_speech(config: Config, preset: Preset) -> Iterator[str]:
    conditioners = config.get("conditioners") or {}
    needed = CODEBOOKS[preset.quality]
    if not config["dep_q"]:
        yield _wrong_kind("a model that generates no audio", preset)
    elif not ("speaker_wavs" in conditioners and "cfg" in conditioners):
        yield (
            "It has no selectable voices: it continues from a recording, which can't differ per stream in a batch. Use "
            f"a model with voices, such as {_EXAMPLES['tts']}."
        )
    if 0 < config["dep_q"] < needed:
        usable = [quality for quality, count in CODEBOOKS.items() if count <= config["dep_q"]]
        yield (
            f"TTS_QUALITY={preset.quality} needs {needed} audio tokens per frame, but the model has {config['dep_q']}. "
            f"Set TTS_QUALITY={usable[-1] if usable else 'fast'}."
        )


def _wrong_kind(description: str, preset: Preset) -> str:
    kind = preset.kind
    return (
        f"It is {description}, not {_MODEL_TYPES[kind]}. Set {kind.upper()}_MODEL, or `model` in the preset, to "
        f"{_MODEL_TYPES[kind]} such as {_EXAMPLES[kind]}."
    )
