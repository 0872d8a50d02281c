"""Engines and voices that a page offers, as its JavaScript gets them."""

from collections.abc import Mapping
from typing import Any

import msgspec

from inference.messages import Status


def stt_engines(engines: Mapping[str, Status]) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "label": f"{status.label} ({status.progress})" if status.progress else status.label,
            "languages": list(status.languages.items()),
            "endpointing": status.endpointing and msgspec.to_builtins(status.endpointing),
        }
        for name, status in sorted(engines.items())
    ]


def tts_engines(engines: Mapping[str, Status]) -> list[dict[str, Any]]:
    return [_tts_engine(status) for status in engines.values()]


def _tts_engine(status: Status) -> dict[str, Any]:
    controls = ("name", "label", "default", "minimum", "maximum", "step")
    fields = ("name", "label", "language", "kind", "description", "license", "is_noncommercial")
    return {
        "name": status.engine,
        "label": status.label,
        "controls": [{field: getattr(control, field) for field in controls} for control in status.controls],
        "voices": [{field: getattr(voice, field) for field in fields} for voice in status.voices or []],
    }
