"""The engines by name. A module is imported only by the process that runs its engine."""

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
    factory: str  # "module:class", or what else makes it
    in_subprocess: bool
    """It holds the GIL while it works, or has state of its process, so it lives in processes of its own."""
    default_slots: int
    """0: it finds out itself, when it is loaded."""
    slots_per_subprocess: int = 1
    max_subprocesses: int = 0
    """0: as many as the slots need."""
    kind: Kind = "stt"
    controls: list[Control] = field(default_factory=list)
    package: str = ""
    """A Python package that is not made for every machine."""
    install: str = ""
    """How to get what is missing."""
    preset: Preset | None = None
    """Of an engine that runs a model of `presets.toml`: it does so in a thread, and finds out itself how many slots it
    has."""

    upgrade: UpgradeHint | None = None

    @property
    def is_installed(self) -> bool:
        return not self.package or find_spec(self.package) is not None


def load(name: str, slots: int, tell: Callable[[str], None] = logger.info) -> Engine[Any]:
    """`tell` is called with what is going on while it takes long. Raises `EngineUnusable`."""
    info = ENGINES[name]
    module, _, class_name = info.factory.partition(":")
    if info.preset is None:
        engine: Engine[Any] = getattr(import_module(module), class_name)(slots)
        return engine
    os.environ.setdefault("NO_TORCH_COMPILE", "1")  # read when moshi is imported; compiling takes 10 s and a compiler
    try:
        made: Engine[Any] = getattr(import_module(module), class_name)(slots, info.preset, tell)
    except ModuleNotFoundError as error:
        raise EngineUnusable(
            f"{info.label} needs {error.name}, which is not installed: .venv/bin/pip install -r "
            f"{REQUIREMENTS_OF[info.preset.package]}."
        ) from error
    return made


def voices_of(engine: Engine[Any]) -> list[Voice]:
    return getattr(engine, "voices", [])


_CORES = os.cpu_count() or 1
_PRESETS = presets.load()
_STT_1B = _PRESETS["stt-1b-en_fr"]

SPEED = Control("speed", "Speed", default=1.0, minimum=0.5, maximum=2.0, step=0.05)
PITCH = Control("pitch", "Pitch", default=1.0, minimum=0.6, maximum=1.5, step=0.05)
VARIATION = Control("variation", "Variation", default=1.0, minimum=0.0, maximum=1.5, step=0.05)  # of Piper's
POCKET_TEMPERATURE = Control("variation", "Variation", default=0.3, minimum=0.0, maximum=1.0, step=0.05)
# Kyutai's larger models have none of these, but:
GUIDANCE = Control("guidance", "Likeness", default=2.0, minimum=1.0, maximum=4.0, step=0.5)
TEMPERATURE = Control("temperature", "Variation", default=0.6, minimum=0.0, maximum=1.2, step=0.05)
SEED = Control("seed", "Take", default=0, minimum=0, maximum=999, step=1)  # 0: another each time

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
            max_subprocesses=min(_CORES, 4),  # of about 250 MB each
            package="moonshine_voice",
            install="It is made for 64-bit Linux (glibc 2.34 or later), macOS 15 on Apple's processors, and Windows.",
            upgrade=UpgradeHint(_STT_1B.name, _STT_1B.label, _STT_1B.download_mb),
        ),
        EngineInfo(
            name="pocketsphinx",
            label="PocketSphinx",
            languages={"en": "English"},
            factory="inference.engines.stt.pocketsphinx:PocketSphinx",
            in_subprocess=True,
            # A decoder needs a tenth of a core and 100 MB (measured); two a core leave room for the web side.
            default_slots=min(2 * _CORES, 16),
            upgrade=UpgradeHint(_STT_1B.name, _STT_1B.label, _STT_1B.download_mb),
        ),
        EngineInfo(
            name="piper",
            label="Piper",
            languages={"en": "English"},  # and those of its voices
            factory="inference.engines.tts.piper:Piper",
            in_subprocess=True,
            default_slots=16,
            slots_per_subprocess=8,  # a core makes 10 s of speech a second; a child has 270 MB with one voice
            kind="tts",
            controls=[SPEED, VARIATION],
            package="piper",
            install="It is made for 64-bit Linux (glibc), macOS and Windows.",
        ),
        EngineInfo(
            name="espeak",
            label="eSpeak NG",
            languages={"en": "English"},  # and those of its voices
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
    "moshi": "requirements/torch.txt (with CUDA's libraries that is about 7 GB)",
    "pocket-tts": "requirements/torch.txt (with CUDA's libraries that is about 7 GB)",
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
    """The speech-to-text engine where none was chosen: Kyutai's smaller model where there is a GPU for it, else the
    best that runs here."""
    if has_cuda():
        return "stt-1b-en_fr"
    return "moonshine" if ENGINES["moonshine"].is_installed else "pocketsphinx"
