"""Third-party clients, which tests run unmodified, and their table in docs/clients.md.

A test module names its clients, and marks each test with the feature that it runs:

    OPENAI = Client("openai", "Python", "OpenAI", installed("openai"))

    @pytest.mark.client(OPENAI, "recordings")
    def test_…

`make test-clients` runs the marked tests and writes the table. Clients that are Python packages are either in
requirements/test.txt, or in requirements/clients.txt: then their programs run with the Python of .venv/clients.
"""

import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import Distribution, distributions, version
from pathlib import Path
from typing import Any

import pytest

from tests.support.environment import ROOT

FEATURES = ("recordings", "live speech", "synthesis")
"""Columns of the table."""
VENV = ROOT / ".venv/clients"
PROGRAMS = ROOT / "tests/clients/programs"


@dataclass(frozen=True)
class Client:
    """Its name and where it comes from, the protocol that it speaks, and its version, for the table."""

    name: str
    source: str
    protocol: str
    version: Callable[[], str]


def installed(package: str) -> Callable[[], str]:
    """The version of a package of requirements/test.txt."""
    return lambda: version(package)


def installed_apart(package: str) -> Callable[[], str]:
    """The version of a package of requirements/clients.txt."""
    return lambda: _apart(package)[0].version


def is_installed_apart(package: str) -> bool:
    return bool(_apart(package))


def _apart(package: str) -> list[Distribution]:
    return list(distributions(name=package, path=list(map(str, VENV.glob("lib/python*/site-packages")))))


def run(program: str, *arguments: Any, within: float = 100.0, **env: str) -> str:
    """Run a program of tests/clients/programs with the packages of requirements/clients.txt. Returns its output."""
    return output([client_python(), PROGRAMS / program, *arguments], within, **env)


def client_python() -> Path:
    python = VENV / "bin/python"
    if not python.exists():
        pytest.skip("The packages of requirements/clients.txt are not installed. Install them: make test-clients")
    return python


def output(command: list[Any], within: float = 100.0, cwd: Path | None = None, **env: str) -> str:
    """Run a command; assert that it succeeds, and return what it printed."""
    without = {name: value for name, value in os.environ.items() if not name.startswith(("OPENAI_", "DEEPGRAM_"))}
    done = subprocess.run(
        list(map(str, command)), capture_output=True, text=True, timeout=within, cwd=cwd, env={**without, **env}
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-8000:]
    return done.stdout
