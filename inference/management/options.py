"""Which engines, and how many slots: the options of the commands that run them."""

import logging
from argparse import ArgumentParser

from django.conf import settings
from django.core.management import CommandError

from inference.engines import ENGINES, EngineInfo, default_stt_engine
from inference.messages import Kind

logger = logging.getLogger(__name__)

Choice = tuple[EngineInfo, int]
"""An engine, and its number of slots; 0: what the machine carries."""


def add_engine_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--engine",
        "--preset",
        action="append",
        help=f"one of {', '.join(ENGINES)}; may be given several times. Default: STT_ENGINE and TTS_ENGINE",
    )
    parser.add_argument("--slots", type=int, help="streams at once, of each engine; 0: what the machine carries")


def chosen_engines(engine: list[str] | None, slots: int | None, **others: object) -> list[Choice]:
    if engine:
        choices = [_choice(name, "--engine", slots) for name in engine]
        for info, _ in choices:
            if not info.is_installed:
                raise CommandError(f"{info.label} is not installed. {info.install}")
        return choices
    stt_engines = [default_stt_engine() if name == "auto" else name for name in settings.STT_ENGINE]
    wanted = {"STT_ENGINE": stt_engines, "TTS_ENGINE": settings.TTS_ENGINE}
    choices = [_choice(name, setting, slots) for setting, names in wanted.items() for name in names if name]
    for info, _ in choices:
        if not info.is_installed:
            logger.warning("%s is not installed, and left out. %s", info.label, info.install)
    return [choice for choice in choices if choice[0].is_installed]


def _choice(name: str, named_by: str, slots: int | None) -> Choice:
    if name not in ENGINES:
        raise CommandError(f"There is no engine “{name}”. {named_by} names one of: {', '.join(ENGINES)}.")
    info = ENGINES[name]
    slots = _slots_of(info.kind) if slots is None else slots
    if slots < 0:
        raise CommandError(
            f"{slots} slots make no sense. STT_SLOTS, TTS_SLOTS and --slots are numbers from 1, or 0 for automatic."
        )
    return info, slots


def _slots_of(kind: Kind) -> int:
    return settings.TTS_SLOTS if kind == "tts" else settings.STT_SLOTS
