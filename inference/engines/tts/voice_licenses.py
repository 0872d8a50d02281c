"""Licenses of voices, and which of the voices the site offers."""

import logging
import os
import re
from collections.abc import Iterable

from inference.messages import Voice

logger = logging.getLogger(__name__)

MAX_NAME = 40
"""Characters; a longer license isn't a name but a text, which the source of the voice has."""

_CREATIVE_COMMONS = re.compile(r"\b(?:CC|creative ?commons|attribution|licenses/by)\b", re.IGNORECASE)
_VERSION = re.compile(r"\b([1-4]\.\d)\b")
_CONDITIONS = {
    "NC": re.compile(r"non[- ]?commercial|-NC\b", re.IGNORECASE),
    "SA": re.compile(r"share[- ]?alike|-SA\b", re.IGNORECASE),
    "ND": re.compile(r"no[- ]?deriv|-ND\b", re.IGNORECASE),
}


def short_name(text: str) -> str:
    """Short name of a license that a person described: “Attribution 4.0 International” is “CC BY 4.0”.

    "" if the text names none, for example because it is a URL.
    """
    text = text.strip()
    if re.search(r"\bCC-?0\b|publicdomain/zero", text, re.IGNORECASE):
        return "CC0"
    if re.search(r"public domain", text, re.IGNORECASE):
        return "Public domain"
    if _CREATIVE_COMMONS.search(text) and re.search(r"\bBY\b|attribution", text, re.IGNORECASE):
        conditions = [name for name, pattern in _CONDITIONS.items() if pattern.search(text)]
        return " ".join(["CC " + "-".join(["BY", *conditions]), *_VERSION.findall(text)[:1]])
    if _CONDITIONS["NC"].search(text):
        return "Non-commercial"
    is_name = (
        len(text) <= MAX_NAME and "://" not in text and not re.search(r"\b(see|unknown|none)\b", text, re.IGNORECASE)
    )
    return text if is_name else ""


def offers_noncommercial() -> bool:
    """The setting `TTS_NONCOMMERCIAL_VOICES`."""
    return os.environ.get("TTS_NONCOMMERCIAL_VOICES", "").lower() in ("on", "true", "yes", "y", "t", "1")


def offered(voices: Iterable[Voice]) -> list[Voice]:
    """The voices without those for non-commercial use only, unless the setting includes them."""
    voices = list(voices)
    selected = [voice for voice in voices if offers_noncommercial() or not voice.is_noncommercial]
    if left_out := len(voices) - len(selected):
        logger.info("leaving out %d voices for non-commercial use only (TTS_NONCOMMERCIAL_VOICES)", left_out)
    return selected
