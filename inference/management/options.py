"""Command-line options for engines and their slots."""

import logging
import os
import re
from argparse import ArgumentParser
from typing import get_args

from django.conf import settings
from django.core.management import CommandError

from inference.engines.registry import ENGINES, EngineInfo, default_stt_engine
from inference.loading.device import visible_gpus
from inference.messages import Kind
from inference.observability.recent_errors import INITIALIZATION_ERROR

logger = logging.getLogger(__name__)

Choice = tuple[EngineInfo, int]
"""An engine and its number of slots; 0: automatic."""


def add_engine_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--engine",
        "--preset",
        action="append",
        help=f"one of {', '.join(ENGINES)}; can be repeated. Default: STT_ENGINE and TTS_ENGINE",
    )
    parser.add_argument("--slots", type=int, help="concurrent streams per engine; 0: automatic")


def chosen_engines(engine: list[str] | None, slots: int | None, **others: object) -> list[Choice]:
    if engine:
        choices = [_choice(name, "--engine", slots) for name in engine]
        for info, _ in choices:
            if not info.is_installed:
                raise CommandError(f"{info.label} is not installed. {info.install}")
        _check_replaced_models(choices)
        return choices
    stt_engines = [default_stt_engine() if name == "auto" else name for name in settings.STT_ENGINE]
    configured = {"STT_ENGINE": stt_engines, "TTS_ENGINE": settings.TTS_ENGINE}
    choices = [_choice(name, setting, slots) for setting, names in configured.items() for name in names if name]
    for info, _ in choices:
        if not info.is_installed:
            logger.warning("skipping %s: not installed. %s", info.label, info.install, extra=INITIALIZATION_ERROR)
    _check_replaced_models(choices)
    return [choice for choice in choices if choice[0].is_installed]


def engine_arguments(engine: list[str] | None, slots: int | None, **others: object) -> list[str]:
    """The command-line arguments with these values of the options of `add_engine_arguments`."""
    arguments = [argument for name in engine or () for argument in ("--engine", name)]
    return arguments if slots is None else [*arguments, "--slots", str(slots)]


def add_device_arguments(parser: ArgumentParser) -> None:
    group = parser.add_mutually_exclusive_group()
    group.add_argument("--gpus", metavar="GPU", help="one process per GPU: all, or numbers such as 0,1")
    group.add_argument("--devices", help="one process per device, for example cuda:0,cuda:1 or cpu,cpu")


def chosen_devices(gpus: str | None, devices: str | None, **others: object) -> list[str]:
    """The devices that each get a process, such as “cuda:0”; none if there is to be only this process."""
    if gpus == "all":
        names = [f"cuda:{number}" for number in range(len(visible_gpus()))]
        if not names:
            raise CommandError("No GPU found: nvidia-smi lists none. Check the driver, or name devices with --devices.")
        return names
    if gpus:
        if not re.fullmatch(r"\d+(,\d+)*", gpus):
            raise CommandError(f"Invalid --gpus “{gpus}”. Use all, or numbers such as 0,1.")
        return [f"cuda:{int(number)}" for number in gpus.split(",")]
    names = devices.split(",") if devices else []
    for name in names:
        if not re.fullmatch(r"cuda:\d+|mps|cpu", name):
            raise CommandError(f"Unknown device “{name}” in --devices. Use cuda:0, cuda:1 and so on, mps or cpu.")
    return names


def _check_replaced_models(choices: list[Choice]) -> None:
    """STT_MODEL and TTS_MODEL replace the model of every Kyutai engine of their kind, so there must be only one."""
    for kind in get_args(Kind):
        setting = f"{kind.upper()}_MODEL"
        presets = [info.preset for info, _ in choices if info.preset and info.kind == kind]
        names = [preset.name for preset in presets if preset.package == "moshi"]
        if os.environ.get(setting) and len(names) > 1:
            raise CommandError(
                f"{setting} replaces the model of {' and '.join(names)}: both would run the same one. Name only one of "
                f"them, or unset {setting} and give each its `model` in a PRESETS_FILE (docs/engines.md)."
            )


def _choice(name: str, source: str, slots: int | None) -> Choice:
    if name not in ENGINES:
        raise CommandError(f"Unknown engine “{name}” in {source}. Available: {', '.join(ENGINES)}.")
    info = ENGINES[name]
    slots = _default_slots(info.kind) if slots is None else slots
    if slots < 0:
        raise CommandError(
            f"Invalid number of slots: {slots}. Use 1 or more, or 0 for automatic, in STT_SLOTS, TTS_SLOTS and --slots."
        )
    return info, slots


def _default_slots(kind: Kind) -> int:
    return settings.TTS_SLOTS if kind == "tts" else settings.STT_SLOTS
