"""Preset files: TOML with a table per preset. Errors name the file and the line, so that an operator finds them."""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inference.engine import EngineUnusable

Table = dict[str, Any]

_KEY = re.compile(r"""\s*(?:"[^"]*"|'[^']*'|[\w-]+)(?:\s*\.\s*(?:"[^"]*"|'[^']*'|[\w-]+))*\s*=""")


class InvalidPreset(EngineUnusable):
    """A preset or a setting that overrides it is invalid; the message names the file and line, or the variable."""


@dataclass(frozen=True)
class PresetFile:
    path: Path
    text: str
    tables: dict[str, Table]
    """The values of each preset."""

    @classmethod
    def read(cls, path: Path) -> "PresetFile":
        """Raises `InvalidPreset`."""
        try:
            data = path.read_bytes()
        except OSError as error:
            raise InvalidPreset(f"Can't read PRESETS_FILE {path}: {error.strerror}.") from None
        try:
            text = data.decode()
            tables = tomllib.loads(text)
        except UnicodeDecodeError as error:
            line = data[: error.start].count(b"\n") + 1
            raise InvalidPreset(f"{path}, line {line}: not UTF-8 text. Save the file as UTF-8.") from None
        except tomllib.TOMLDecodeError as error:
            raise InvalidPreset(f"{path}, line {_line_of_error(error, text)}: not valid TOML: {error}.") from None
        file = cls(path, text, tables)
        for name, values in tables.items():
            if not isinstance(values, dict):
                reason = f"“{name}” is outside a preset. Put it below a line such as [stt-1b-en_fr]."
                raise InvalidPreset(f"{path}, line {file.line_of(name)}: {reason}")
        return file

    def line_of(self, *keys: str) -> int:
        """The line, from 1, of a preset or of a value in it: of the innermost key that has a line of its own, otherwise
        of the first key within it."""
        best, line = (0, False), 1
        table: tuple[str, ...] = ()
        for number, content in enumerate(self.text.splitlines(), start=1):
            if content.lstrip().startswith("["):
                found = table = _names(content)
            elif key := _KEY.match(content):
                found = (*table, *_names(f"{key.group()} 0"))
            else:
                continue
            depth = min(len(found), len(keys))
            if found[:depth] == keys[:depth] and (rank := (depth, len(found) == depth)) > best:
                best, line = rank, number
        return line

    def invalid(self, name: str, keys: tuple[str, ...], reason: str) -> InvalidPreset:
        """The error for a value of a preset; no keys: for the preset itself."""
        return InvalidPreset(f"Invalid preset “{name}” in {self.path}, line {self.line_of(name, *keys)}: {reason}")


def _names(line: str) -> tuple[str, ...]:
    """The keys of a line of TOML: `["a.b".c]` has `a.b` and `c`. Empty for a line that is not TOML by itself."""
    try:
        value: Any = tomllib.loads(line)
    except tomllib.TOMLDecodeError:
        return ()
    names = []
    while value and isinstance(value, dict | list):
        if isinstance(value, list):
            value = value[0]
        else:
            name, value = next(iter(value.items()))
            names.append(name)
    return tuple(names)


def _line_of_error(error: tomllib.TOMLDecodeError, text: str) -> int:
    line = re.search(r"at line (\d+)", str(error))
    return int(line[1]) if line else len(text.splitlines())  # at the end of the document
