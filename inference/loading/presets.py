"""The presets of `presets.toml`: which model an engine runs, and with what."""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec

from inference.engine import EngineUnusable
from inference.loading.whisper_languages import LANGUAGES
from inference.messages import Endpointing

OWN = Path(__file__).with_name("presets.toml")

Dtype = Literal["auto", "bfloat16", "float16", "float32", "int8"]
Quality = Literal["fast", "real-time", "high", "higher", "highest"]


class InvalidPreset(EngineUnusable):
    """What is wrong in which file, in words."""


class Preset(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`STT_MODEL`, `STT_REVISION`, `STT_MEMORY_MB` (or `TTS_…`, after the kind), `TTS_VOICES`, `TTS_QUALITY`,
    `MOSHI_DEVICE` and `MOSHI_DTYPE` of the environment win over the file, for the models that the package `moshi`
    runs."""

    name: str
    kind: Literal["stt", "tts", "dialogue"]
    package: Literal["moshi", "pocket-tts", "faster-whisper"] = "moshi"  # that runs it
    label: str
    languages: dict[str, str]  # code: name; the first is the default. All of Whisper's for `faster-whisper`
    model: str
    """A repository of the Hugging Face hub, `owner/name`, or a folder that holds the same files; for `faster-whisper`
    one of a model that was converted for CTranslate2. For `pocket-tts`:
    one of its models by name, or the path of a configuration, `.yaml`."""
    revision: str = "main"
    """A branch, a tag or a commit of the repository."""
    device: str = "auto"  # or cuda, cuda:1, mps, cpu
    dtype: Dtype = "auto"
    slots: int = 0  # 0: as many as the memory holds
    memory_mb: float = 0.0  # of the device that it may take, weights and slots; 0: all that is free
    temperature: float = 0.0  # of the text; 0: always the likeliest token
    delay: int = 0  # frames from a sound to its text
    silence_prefix: float = 0.0  # seconds of silence heard before a stream begins
    params_billions: float
    slot_mb: float = 0.0  # of streaming state in bfloat16
    download_mb: int
    endpointing: Endpointing | None = None
    voices: str = ""
    """Of a model that speaks: the repository, or the folder, of its voices; for `pocket-tts` some of its own by
    name, or a folder."""
    default_voice: str = ""
    quality: Quality = "real-time"
    """Of its sound, for the time a step takes."""


def load(environment: Mapping[str, str] | None = None) -> dict[str, Preset]:
    """All presets by name. Raises `InvalidPreset`."""
    environment = os.environ if environment is None else environment
    tables = _read(OWN)
    if path := environment.get("PRESETS_FILE"):
        for name, values in _read(Path(path)).items():
            tables[name] = tables.get(name, {}) | values
    return {name: _preset(name, values, environment) for name, values in tables.items()}


def _read(path: Path) -> dict[str, dict[str, Any]]:
    try:
        return tomllib.loads(path.read_text())
    except OSError as error:
        raise InvalidPreset(f"PRESETS_FILE names {path}, which cannot be read: {error.strerror}.") from None
    except tomllib.TOMLDecodeError as error:
        raise InvalidPreset(f"{path} is no valid TOML: {error}.") from None


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
        raise InvalidPreset(f"The preset “{name}” is not valid: {error}.") from None
