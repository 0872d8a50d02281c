"""The presets of `presets.toml`: an engine's model and its settings."""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec

from inference.engine import EngineUnusable
from inference.loading.whisper_languages import LANGUAGES
from inference.messages import Endpointing, Kind

BUILT_IN = Path(__file__).with_name("presets.toml")

Dtype = Literal["auto", "bfloat16", "float16", "float32", "int8"]
Quality = Literal["fast", "real-time", "high", "higher", "highest"]


class InvalidPreset(EngineUnusable):
    """A preset file is invalid; the message names the file and the error."""


class Preset(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A preset. For models that the package `moshi` runs, the environment's `STT_MODEL`, `STT_REVISION`,
    `STT_MEMORY_MB` (or `TTS_…`, by kind), `TTS_VOICES`, `TTS_QUALITY`, `MOSHI_DEVICE` and `MOSHI_DTYPE` override it."""

    name: str
    kind: Kind
    package: str = "moshi"  # runs the model; one of `RUNTIMES` in `inference/engines/registry.py`
    label: str
    languages: dict[str, str]  # code: name; the first is the default. All of Whisper's for `faster-whisper`
    model: str
    """A Hugging Face repository, `owner/name`, or a folder with the same files; for `faster-whisper` of a model
    converted for CTranslate2. For `pocket-tts` the name of one of its models, or a path to a `.yaml` configuration."""
    revision: str = "main"
    """Branch, tag or commit of the repository."""
    device: str = "auto"  # or cuda, cuda:1, mps, cpu
    dtype: Dtype = "auto"
    slots: int = 0  # 0: as many as the memory holds
    memory_mb: float = 0.0  # limit for weights and slots on the device; 0: all free memory
    temperature: float = 0.0  # of text sampling; 0: always the likeliest token
    delay: int = 0  # frames from audio to its text
    silence_prefix: float = 0.0  # seconds of silence fed to the model before a stream's audio
    params_billions: float
    slot_mb: float = 0.0  # of streaming state in bfloat16
    download_mb: int
    endpointing: Endpointing | None = None
    translates: bool = False  # into English; Whisper's multilingual models, except turbo, were trained to
    voices: str = ""
    """Repository or folder of a TTS model's voices; for `pocket-tts` names of its own voices, or a folder."""
    default_voice: str = ""
    quality: Quality = "real-time"
    """Audio quality; higher ones take longer per step."""


def load(environment: Mapping[str, str] | None = None) -> dict[str, Preset]:
    """All presets by name. Raises `InvalidPreset`."""
    environment = os.environ if environment is None else environment
    tables = _read(BUILT_IN)
    if path := environment.get("PRESETS_FILE"):
        for name, values in _read(Path(path)).items():
            tables[name] = tables.get(name, {}) | values
    return {name: _preset(name, values, environment) for name, values in tables.items()}


def _read(path: Path) -> dict[str, dict[str, Any]]:
    try:
        return tomllib.loads(path.read_text())
    except OSError as error:
        raise InvalidPreset(f"Can't read PRESETS_FILE {path}: {error.strerror}.") from None
    except tomllib.TOMLDecodeError as error:
        raise InvalidPreset(f"{path} isn't valid TOML: {error}.") from None


def _preset(name: str, values: dict[str, Any], environment: Mapping[str, str]) -> Preset:
    kind = str(values.get("kind", "")).upper()
    package = values.get("package", "moshi")
    if package != "moshi":
        environment = {}
    if package == "faster-whisper":
        values = {"languages": LANGUAGES} | values
    overrides = {
        "model": environment.get(f"{kind}_MODEL"),
        "revision": environment.get(f"{kind}_REVISION"),
        "memory_mb": environment.get(f"{kind}_MEMORY_MB"),
        "device": environment.get("MOSHI_DEVICE"),
        "dtype": environment.get("MOSHI_DTYPE"),
    }
    if kind == "TTS":
        overrides |= {"voices": environment.get("TTS_VOICES"), "quality": environment.get("TTS_QUALITY")}
    values = values | {key: value for key, value in overrides.items() if value}
    try:
        return msgspec.convert({"name": name, **values}, Preset, strict=False)
    except msgspec.ValidationError as error:
        raise InvalidPreset(f"Invalid preset “{name}”: {error}.") from None
