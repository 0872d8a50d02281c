"""The engines by name, with what is known of them before they are loaded.

To add an engine, add an entry here: an `EngineInfo`, or a `Runtime` for a package that runs the models of
`presets.toml`. Only the process that runs an engine imports its module.
"""

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
from inference.loading.preset_files import InvalidPreset
from inference.loading.presets import Preset
from inference.messages import Control, Kind, UpgradeHint

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class EngineInfo:
    name: str
    label: str
    languages: dict[str, str]
    factory: str
    """`module:class` or `module:function`, called with the number of slots, and for a preset with the preset and a
    function that receives status texts."""
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
    upgrade: UpgradeHint | None = None
    preset: Preset | None = None
    """The preset in `presets.toml` whose model the engine runs, in a thread; the engine measures its own capacity."""
    uses_torch: bool = False
    translates: bool = False
    """It can translate speech into English."""

    @property
    def is_installed(self) -> bool:
        return not self.package or find_spec(self.package) is not None


@dataclass(frozen=True)
class Runtime:
    """A package that runs models of one kind; each preset with this package and kind is an engine."""

    package: str
    kind: Kind
    factory: str
    requirements: str
    """The file to install it from, and the size."""
    controls: list[Control] = field(default_factory=list)
    uses_torch: bool = True


_CORES = os.cpu_count() or 1
_TORCH = "requirements/locked/torch.txt (about 7 GB with the CUDA libraries)"
_PRESETS = presets.load()
_STT_1B = _PRESETS["stt-1b-en_fr"]
_UPGRADE = UpgradeHint(_STT_1B.name, _STT_1B.label, _STT_1B.download_mb)

SPEED = Control("speed", "Speed", default=1.0, minimum=0.5, maximum=2.0, step=0.05)
PITCH = Control("pitch", "Pitch", default=1.0, minimum=0.6, maximum=1.5, step=0.05)
VARIATION = Control("variation", "Variation", default=1.0, minimum=0.0, maximum=1.5, step=0.05)  # Piper
POCKET_TEMPERATURE = Control("variation", "Variation", default=0.3, minimum=0.0, maximum=1.0, step=0.05)
# Controls of Kyutai's larger models, which have none of the above:
GUIDANCE = Control("guidance", "Similarity", default=2.0, minimum=1.0, maximum=4.0, step=0.5)
TEMPERATURE = Control("temperature", "Variation", default=0.6, minimum=0.0, maximum=1.2, step=0.05)
SEED = Control("seed", "Seed", default=0, minimum=0, maximum=999, step=1)  # 0: a random seed each time

RUNTIMES = [
    Runtime(
        package="moshi",
        kind="stt",
        factory="inference.engines.stt.moshi_stt:MoshiStt",
        requirements=_TORCH,
    ),
    Runtime(
        package="moshi",
        kind="tts",
        factory="inference.engines.tts.moshi_tts.loading:load",
        requirements=_TORCH,
        controls=[GUIDANCE, TEMPERATURE, SEED],
    ),
    Runtime(
        package="pocket-tts",
        kind="tts",
        factory="inference.engines.tts.pocket:load",
        requirements=_TORCH,
        controls=[POCKET_TEMPERATURE],
    ),
    Runtime(
        package="faster-whisper",
        kind="stt",
        factory="inference.engines.stt.whisper:Whisper",
        requirements="requirements/locked/whisper.txt (about 250 MB)",
        uses_torch=False,
    ),
]

_ENGINES_WITHOUT_PRESET = [
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
        upgrade=_UPGRADE,
    ),
    EngineInfo(
        name="pocketsphinx",
        label="PocketSphinx",
        languages={"en": "English"},
        factory="inference.engines.stt.pocketsphinx:PocketSphinx",
        in_subprocess=True,
        # A decoder takes a tenth of a core and 100 MB (measured); two per core leave room for the web processes.
        default_slots=min(2 * _CORES, 16),
        upgrade=_UPGRADE,
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
        translates=True,
    ),
    EngineInfo(
        name="encoded-words",
        label="Encoded words (for tests)",
        languages={"en": "English"},
        factory="inference.engines.testing.encoded_words:EncodedWords",
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
]


def engine_of(preset: Preset) -> EngineInfo:
    """The engine that runs a preset's model. Raises `InvalidPreset`."""
    runtime = next((it for it in RUNTIMES if (it.package, it.kind) == (preset.package, preset.kind)), None)
    if runtime is None:
        known = ", ".join(f"{it.package} ({it.kind})" for it in RUNTIMES)
        raise InvalidPreset(
            f"Invalid preset “{preset.name}”: no engine runs “{preset.kind}” models with the package "
            f"“{preset.package}”. Available: {known}."
        )
    return EngineInfo(
        name=preset.name,
        label=preset.label,
        languages=preset.languages,
        factory=runtime.factory,
        in_subprocess=False,
        default_slots=0,
        kind=runtime.kind,
        controls=runtime.controls,
        install=f"Install it: .venv/bin/pip install -r {runtime.requirements}.",
        preset=preset,
        uses_torch=runtime.uses_torch,
        translates=preset.translates,
    )


ENGINES = {info.name: info for info in [*_ENGINES_WITHOUT_PRESET, *map(engine_of, _PRESETS.values())]}


def load(name: str, slots: int, report_progress: Callable[[str], None] = logger.info) -> Engine[Any]:
    """Load an engine. `report_progress` receives status texts while loading takes long. Raises `EngineUnusable`."""
    info = ENGINES[name]
    module, _, factory = info.factory.partition(":")
    arguments = (slots, info.preset, report_progress) if info.preset else (slots,)
    os.environ.setdefault("NO_TORCH_COMPILE", "1")  # read when moshi is imported; compiling takes 10 s and a compiler
    try:
        engine: Engine[Any] = getattr(import_module(module), factory)(*arguments)
    except ModuleNotFoundError as error:
        raise EngineUnusable(f"{info.label} requires {error.name}. {info.install}") from error
    return engine


def default_stt_engine() -> str:
    """Name of the default speech-to-text engine: Kyutai's smaller model if there is a GPU, otherwise the best engine
    that runs on this machine."""
    if has_cuda():
        return "stt-1b-en_fr"
    return "moonshine" if ENGINES["moonshine"].is_installed else "pocketsphinx"
