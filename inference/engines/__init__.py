"""Engines by name. Only the process that runs an engine imports its module."""

import logging
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from inference.engine import Engine, EngineUnusable
from inference.loading import presets
from inference.loading.device import has_cuda
from inference.loading.presets import Preset
from inference.messages import Control, Kind, UpgradeHint, Voice

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class EngineInfo:
    name: str
    label: str
    languages: dict[str, str]
    factory: str  # "module:class" or "module:function"
    in_subprocess: bool
    """The engine runs in subprocesses, because it holds the GIL while it works or keeps process-wide state."""
    default_slots: int
    """0: the engine measures its capacity when it is loaded."""
    slots_per_subprocess: int = 1
    max_subprocesses: int = 0
    """0: as many as the slots require."""
    kind: Kind = "stt"
    controls: list[Control] = field(default_factory=list)
    package: str = ""
    """A Python package that is not available for every platform."""
    install: str = ""
    """How to install the package."""
    preset: Preset | None = None
    """The preset in `presets.toml` whose model the engine runs, in a thread; the engine measures its own capacity."""
    upgrade: UpgradeHint | None = None

    @property
    def is_installed(self) -> bool:
        return not self.package or find_spec(self.package) is not None


def load(name: str, slots: int, report_progress: Callable[[str], None] = logger.info) -> Engine[Any]:
    """Load an engine. `report_progress` receives status texts while loading takes long. Raises `EngineUnusable`."""
    info = ENGINES[name]
    module, _, class_name = info.factory.partition(":")
    if info.preset is None:
        engine: Engine[Any] = getattr(import_module(module), class_name)(slots)
        return engine
    os.environ.setdefault("NO_TORCH_COMPILE", "1")  # read when moshi is imported; compiling takes 10 s and a compiler
    try:
        preset_engine: Engine[Any] = getattr(import_module(module), class_name)(slots, info.preset, report_progress)
    except ModuleNotFoundError as error:
        raise EngineUnusable(
            f"{info.label} requires {error.name}. Install it: .venv/bin/pip install -r "
            f"{REQUIREMENTS_OF[info.preset.package]}."
        ) from error
    return preset_engine


def voices_of(engine: Engine[Any]) -> list[Voice]:
    return getattr(engine, "voices", [])


_CORES = os.cpu_count() or 1
_PRESETS = presets.load()
_STT_1B = _PRESETS["stt-1b-en_fr"]

SPEED = Control("speed", "Speed", default=1.0, minimum=0.5, maximum=2.0, step=0.05)
PITCH = Control("pitch", "Pitch", default=1.0, minimum=0.6, maximum=1.5, step=0.05)
VARIATION = Control("variation", "Variation", default=1.0, minimum=0.0, maximum=1.5, step=0.05)  # Piper
POCKET_TEMPERATURE = Control("variation", "Variation", default=0.3, minimum=0.0, maximum=1.0, step=0.05)
# Controls of Kyutai's larger models, which have none of the above:
GUIDANCE = Control("guidance", "Similarity", default=2.0, minimum=1.0, maximum=4.0, step=0.5)
TEMPERATURE = Control("temperature", "Variation", default=0.6, minimum=0.0, maximum=1.2, step=0.05)
SEED = Control("seed", "Seed", default=0, minimum=0, maximum=999, step=1)  # 0: a random seed each time

ENGINES = {
    info.name: info
    for info in (
        EngineInfo(
            name="moonshine",
            label="Moonshine",
            languages={"en": "English"},
            factory="inference.engines.stt.moonshine:Moonshine",
            in_subprocess=True,
            default_slots=0,
            slots_per_subprocess=8,
            max_subprocesses=min(_CORES, 4),  # about 250 MB each
            package="moonshine_voice",
            install="It supports 64-bit Linux (glibc 2.34 or later), macOS 15 on Apple silicon, and Windows.",
            upgrade=UpgradeHint(_STT_1B.name, _STT_1B.label, _STT_1B.download_mb),
        ),
        EngineInfo(
            name="pocketsphinx",
            label="PocketSphinx",
            languages={"en": "English"},
            factory="inference.engines.stt.pocketsphinx:PocketSphinx",
            in_subprocess=True,
            # A decoder takes a tenth of a core and 100 MB (measured); two per core leave room for the web processes.
            default_slots=min(2 * _CORES, 16),
            upgrade=UpgradeHint(_STT_1B.name, _STT_1B.label, _STT_1B.download_mb),
        ),
        EngineInfo(
            name="piper",
            label="Piper",
            languages={"en": "English"},  # plus the languages of its voices
            factory="inference.engines.tts.piper:Piper",
            in_subprocess=True,
            default_slots=16,
            slots_per_subprocess=8,  # a core makes 10 s of speech per second; a subprocess takes 270 MB with one voice
            kind="tts",
            controls=[SPEED, VARIATION],
            package="piper",
            install="It supports 64-bit Linux (glibc), macOS and Windows.",
        ),
        EngineInfo(
            name="espeak",
            label="eSpeak NG",
            languages={"en": "English"},  # plus the languages of its voices
            factory="inference.engines.tts.espeak:Espeak",
            in_subprocess=True,
            default_slots=16,
            slots_per_subprocess=16,
            kind="tts",
            controls=[SPEED, PITCH],
        ),
        EngineInfo(
            name="checksum",
            label="Checksum (for tests)",
            languages={"en": "English"},
            factory="inference.engines.testing.checksum:Checksum",
            in_subprocess=False,
            default_slots=64,
        ),
        EngineInfo(
            name="tones",
            label="Tones (for tests)",
            languages={"en": "English", "fr": "Français"},
            factory="inference.engines.testing.tones:Tones",
            in_subprocess=False,
            default_slots=64,
            kind="tts",
            controls=[SPEED],
        ),
        EngineInfo(
            name="echo",
            label="Echo (for benchmarks)",
            languages={"en": "English"},
            factory="inference.engines.testing.echo:Echo",
            in_subprocess=False,
            default_slots=1000,
        ),
    )
}

ENGINE_OF = {
    ("moshi", "stt"): "inference.engines.stt.moshi_stt:MoshiStt",
    ("moshi", "tts"): "inference.engines.tts.moshi_tts.loading:load",
    ("pocket-tts", "tts"): "inference.engines.tts.pocket:load",
    ("faster-whisper", "stt"): "inference.engines.stt.whisper:Whisper",
}
REQUIREMENTS_OF = {
    "moshi": "requirements/torch.txt (about 7 GB with the CUDA libraries)",
    "pocket-tts": "requirements/torch.txt (about 7 GB with the CUDA libraries)",
    "faster-whisper": "requirements/whisper.txt (about 250 MB)",
}
CONTROLS_OF = {("moshi", "tts"): [GUIDANCE, TEMPERATURE, SEED], ("pocket-tts", "tts"): [POCKET_TEMPERATURE]}

ENGINES |= {
    preset.name: EngineInfo(
        name=preset.name,
        label=preset.label,
        languages=preset.languages,
        factory=ENGINE_OF[preset.package, preset.kind],
        in_subprocess=False,
        default_slots=0,
        kind=preset.kind,
        controls=CONTROLS_OF.get((preset.package, preset.kind), []),
        preset=preset,
    )
    for preset in _PRESETS.values()
    if (preset.package, preset.kind) in ENGINE_OF
}


def default_stt_engine() -> str:
    """Name of the default speech-to-text engine: Kyutai's smaller model if there is a GPU, otherwise the best engine
    that runs on this machine."""
    if has_cuda():
        return "stt-1b-en_fr"
    return "moonshine" if ENGINES["moonshine"].is_installed else "pocketsphinx"
