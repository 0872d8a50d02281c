"""Packages of npm, installed into a folder of the tests."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.servers import programs

_versions: dict[str, str] = {}


def install(folder: Path, *packages: str) -> Path:
    """Install `name@version` or `alias@npm:name@version`; otherwise the test is skipped. Returns the folder."""
    command = [programs.npm(), "install", "--ignore-scripts", "--no-audit", "--no-fund", "--silent", *packages]
    if subprocess.run(command, cwd=folder, capture_output=True, timeout=100).returncode:
        pytest.skip(f"npm could not install {', '.join(packages)}. Check the connection to its registry.")
    for package in packages:
        name = package[: package.index("@", 1)]
        manifest = json.loads((folder / "node_modules" / name / "package.json").read_text())
        _versions[name] = manifest["version"]
    return folder


def version_of(*names: str) -> Callable[[], str]:
    """The versions of packages that a test has installed, by their names or aliases."""
    return lambda: ", ".join(_versions[name] for name in names)
