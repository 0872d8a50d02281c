"""Command-line options for engines and their slots."""

import logging
from argparse import ArgumentParser

from django.conf import settings
from django.core.management import CommandError

from inference.engines.registry import ENGINES, EngineInfo, default_stt_engine
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
        return choices
    stt_engines = [default_stt_engine() if name == "auto" else name for name in settings.STT_ENGINE]
    configured = {"STT_ENGINE": stt_engines, "TTS_ENGINE": settings.TTS_ENGINE}
    choices = [_choice(name, setting, slots) for setting, names in configured.items() for name in names if name]
    for info, _ in choices:
        if not info.is_installed:
            logger.warning("skipping %s: not installed. %s", info.label, info.install, extra=INITIALIZATION_ERROR)
    return [choice for choice in choices if choice[0].is_installed]


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
