"""The presets of `presets.toml`: an engine's model and its settings."""

import os
import re
from collections.abc import Mapping
from difflib import get_close_matches
from math import isfinite
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import msgspec
from msgspec import Meta

from inference.loading.preset_files import InvalidPreset, PresetFile
from inference.loading.whisper_languages import LANGUAGES
from inference.messages import PAUSE_LENGTHS, Endpointing, Kind

BUILT_IN = Path(__file__).with_name("presets.toml")

Dtype = Literal["auto", "bfloat16", "float16", "float32", "int8"]
Quality = Literal["fast", "real-time", "high", "higher", "highest"]
Architecture = Literal["", "moshi-7b", "personaplex-7b"]

CODEBOOKS: dict[Quality, int] = {"fast": 4, "real-time": 8, "high": 16, "higher": 24, "highest": 32}
"""Audio tokens of a frame: each adds detail to the audio, and time to the step."""

KINDS: dict[str, tuple[Kind, ...]] = {"moshi": ("stt", "tts"), "faster-whisper": ("stt",), "pocket-tts": ("tts",)}
"""Kinds of models that each package runs, as in `RUNTIMES` of `inference/engines/registry.py`."""

_DEVICE = re.compile(r"auto|cpu|mps|cuda(:\d+)?")


class Preset(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A preset. For models that the package `moshi` runs, the environment's `STT_MODEL`, `STT_REVISION`,
    `STT_MEMORY_MB` (or `TTS_…`, by kind), `TTS_VOICES`, `TTS_VOICES_REVISION`, `TTS_QUALITY`, `MOSHI_DEVICE` and
    `MOSHI_DTYPE` override it.

    `delay`, `silence_prefix`, `params_billions` and `slot_mb` are those of the preset's own model. When a model of the
    package `moshi` is loaded, its config.json determines them (`checkpoints.with_model_values`).
    """

    name: str
    kind: Kind
    package: str = "moshi"  # runs the model; one of `KINDS`
    label: Annotated[str, Meta(min_length=1)]
    languages: Annotated[dict[str, str], Meta(min_length=1)]
    """Names by code; the first is the default. All of Whisper's for `faster-whisper`."""
    model: Annotated[str, Meta(min_length=1)]
    """A Hugging Face repository, `owner/name`, or a folder with the same files; for `faster-whisper` of a model
    converted for CTranslate2. For `pocket-tts` the name of one of its models, or a path to a `.yaml` configuration."""
    revision: Annotated[str, Meta(min_length=1)] = "main"
    """Branch, tag or commit of the repository."""
    architecture: Architecture = ""
    """The shape of a model whose config.json is missing or lacks it: Kyutai's first ones, and PersonaPlex."""
    device: str = "auto"  # or cuda, cuda:1, mps, cpu
    dtype: Dtype = "auto"
    slots: Annotated[int, Meta(ge=0)] = 0  # 0: as many as the memory holds
    memory_mb: Annotated[float, Meta(ge=0)] = 0.0
    """Limit for weights and slots on the device; 0: all free memory."""
    temperature: Annotated[float, Meta(ge=0, le=2)] = 0.0  # of text sampling; 0: always the likeliest token
    delay: Annotated[int, Meta(ge=0, le=125)] = 0  # frames from audio to its text
    silence_prefix: Annotated[float, Meta(ge=0, le=10)] = 1.0
    """Minimum seconds of silence fed to the model before a stream's audio."""
    params_billions: Annotated[float, Meta(gt=0)]
    unquantized_billions: Annotated[float, Meta(ge=0)] = 0.0
    """Of these, parameters that int8 leaves in the dtype of the activations: above all embeddings."""
    slot_mb: Annotated[float, Meta(ge=0)] = 0.0  # of streaming state in bfloat16
    download_mb: Annotated[int, Meta(ge=0)]
    endpointing: Endpointing | None = None
    turn_pause: float = 0.5
    """Replaces `pause` of `endpointing` where someone waits for the end of each turn, as in conversations."""
    translates: bool = False  # into English; Whisper's multilingual models, except turbo, were trained to
    voices: str = ""
    """Repository or folder of a TTS model's voices; for `pocket-tts` names of its own voices, or a folder."""
    voices_revision: Annotated[str, Meta(min_length=1)] = "main"
    """Branch, tag or commit of the repository of voices."""
    default_voice: str = ""
    quality: Quality = "real-time"
    """Audio quality; higher ones take longer per step."""


_FIELDS = {field.name: field for field in msgspec.structs.fields(Preset) if field.name != "name"}
_ENDPOINTING_KEYS = [field.name for field in msgspec.structs.fields(Endpointing)]


def load(environment: Mapping[str, str] | None = None) -> dict[str, Preset]:
    """All presets by name. Raises `InvalidPreset`."""
    environment = os.environ if environment is None else environment
    built_in = PresetFile.read(BUILT_IN)
    own = PresetFile.read(Path(path)) if (path := environment.get("PRESETS_FILE")) else None
    loaded = {}
    for name in built_in.tables | (own.tables if own else {}):
        values, file = built_in.tables.get(name, {}), built_in
        if own and name in own.tables:
            values, file = values | _with_revisions(own.tables[name], values), own
        preset = _preset(name, values, file)
        loaded[name] = _overridden(preset, environment) if preset.package == "moshi" else preset
    return loaded


def _preset(name: str, values: dict[str, Any], file: PresetFile) -> Preset:
    """The preset with these values of a file. Raises `InvalidPreset`."""
    if values.get("package") == "faster-whisper":
        values = {"languages": LANGUAGES} | values
    if fault := _unknown_key(values) or _unusable_value(values) or _missing_key(name, values):
        raise file.invalid(name, *fault)
    try:
        return msgspec.convert({"name": name, **values}, Preset)
    except msgspec.ValidationError as error:
        raise file.invalid(name, *_explained(error, values)) from None


def _overridden(preset: Preset, environment: Mapping[str, str]) -> Preset:
    """The preset with the values of the environment. Raises `InvalidPreset`."""
    kind = preset.kind.upper()
    keys = {
        f"{kind}_MODEL": "model",
        f"{kind}_REVISION": "revision",
        f"{kind}_MEMORY_MB": "memory_mb",
        "MOSHI_DEVICE": "device",
        "MOSHI_DTYPE": "dtype",
    }
    if kind == "TTS":
        keys |= {"TTS_VOICES": "voices", "TTS_VOICES_REVISION": "voices_revision", "TTS_QUALITY": "quality"}
    changes: dict[str, Any] = {}
    for variable, key in keys.items():
        if not (text := environment.get(variable)):
            continue
        try:
            changes[key] = msgspec.convert(text, _FIELDS[key].type, strict=False)
        except msgspec.ValidationError as error:
            reason = re.sub(r", got .*", ".", _reason(error, key, text))
            raise InvalidPreset(f"{variable} is “{text}”: {reason}") from None
        if fault := _unusable_value({key: changes[key]}):
            raise InvalidPreset(f"{variable} is “{text}”: {fault[1]}")
    return msgspec.structs.replace(preset, **_with_revisions(changes, msgspec.structs.asdict(preset)))


def _with_revisions(changes: dict[str, Any], values: dict[str, Any]) -> dict[str, Any]:
    """These changes of a preset's values; another repository gets the revision “main”, unless they have one."""
    for source, revision in (("model", "revision"), ("voices", "voices_revision")):
        if changes.get(source, values.get(source)) != values.get(source):
            changes = {revision: "main"} | changes
    return changes


# --- Mistakes: the keys of the wrong value, which are empty for the preset itself, and the reason --------------------

Fault = tuple[tuple[str, ...], str]


def _unknown_key(values: dict[str, Any]) -> Fault | None:
    endpointing = values.get("endpointing")
    for path, table, known in (
        ((), values, list(_FIELDS)),
        (("endpointing",), endpointing if isinstance(endpointing, dict) else {}, _ENDPOINTING_KEYS),
    ):
        for key in table:
            if key not in known:
                return (*path, key), f"unknown key “{key}”. {_suggestion(key, known)}"
    return None


def _missing_key(name: str, values: dict[str, Any]) -> Fault | None:
    missing = [key for key, field in _FIELDS.items() if field.required and key not in values]
    if not missing:
        return None
    built_in = PresetFile.read(BUILT_IN).tables
    near = get_close_matches(name, built_in, 1)
    hint = f" To override the built-in preset, name it “{near[0]}”." if near and name not in built_in else ""
    return (), f"{', '.join(missing)} missing.{hint}"


def _unusable_value(values: dict[str, Any]) -> Fault | None:
    """A value that has the right type, but that no engine can use."""
    for key, value in values.items():
        if isinstance(value, float) and not isfinite(value):
            return (key,), f"{key} must be a finite number."
    if isinstance(device := values.get("device", "auto"), str) and not _DEVICE.fullmatch(device):
        return ("device",), f"unknown device “{device}”. Use auto, cuda, cuda:1, mps or cpu."
    if (pause := values.get("turn_pause", PAUSE_LENGTHS[0])) not in PAUSE_LENGTHS:
        lengths = ", ".join(f"{length:g}" for length in PAUSE_LENGTHS)
        return ("turn_pause",), f"turn_pause is {pause}. Use {lengths} seconds."
    kind, package = values.get("kind"), values.get("package", "moshi")
    if not isinstance(package, str):
        return ("package",), "package: expected a string."
    if package not in KINDS:
        return ("package",), f"unknown package “{package}”. {_suggestion(package, list(KINDS))}"
    if kind in get_args(Kind) and kind not in (kinds := KINDS.get(package, ())):
        return ("kind",), f"no engine runs “{kind}” models with the package “{package}”, only “{'”, “'.join(kinds)}”."
    return None


def _explained(error: msgspec.ValidationError, values: dict[str, Any]) -> Fault:
    """The fault that msgspec found, such as “Expected `int`, got `str` - at `$.delay`”."""
    _, _, path = str(error).partition(" - at `")
    keys = tuple(re.findall(r"\.([\w-]+)", path))
    value: Any = values
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    if keys == ("endpointing",) and isinstance(value, dict):  # the structure's own check, of one of its values
        keys += tuple(key for key in value if f"`{key}`" in str(error))
    return keys, f"{'.'.join(keys)}: {_reason(error, keys[-1], value)}"


_TYPES = {
    "`object | null`": "a table",
    "`object`": "a table",
    "`array`": "a list",
    "`int`": "a whole number",
    "`float`": "a number",
    "`str`": "a string",
    "`bool`": "true or false",
    "a table of length >= 1": "at least one entry",
    "a string of length >= 1": "some text",
}


def _reason(error: msgspec.ValidationError, key: str, value: Any) -> str:
    text = str(error).partition(" - at ")[0]
    if text.startswith("Invalid enum value"):
        choices = [choice for choice in get_args(_FIELDS[key].type) if choice]
        return f"unknown value “{value}”. {_suggestion(str(value), choices)}"
    for name, words in _TYPES.items():
        text = text.replace(name, words)
    return f"{text[:1].lower()}{text[1:]}.".replace("`", "")


def _suggestion(key: str, known: list[str]) -> str:
    near = get_close_matches(key, known, 1)
    return f"Did you mean “{near[0]}”?" if near else f"Known are {', '.join(known)}."
