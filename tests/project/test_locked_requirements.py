"""requirements/locked has versions that satisfy requirements/*.txt on all supported Pythons and systems, with hashes.

That they include all dependencies is checked when they are installed.
"""

import re
from collections.abc import Iterator
from itertools import product

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support.environment import ROOT

REQUIREMENTS = ROOT / "requirements"
NAMES = sorted(path.stem for path in REQUIREMENTS.glob("*.txt"))
MACHINES = [("linux", "x86_64"), ("linux", "aarch64"), ("darwin", "arm64"), ("darwin", "x86_64")]
ENVIRONMENTS = [
    default_environment()
    | {
        "python_version": python,
        "python_full_version": f"{python}.9",
        "sys_platform": system,
        "platform_machine": machine,
    }
    for python, (system, machine) in product(("3.11", "3.12", "3.13", "3.14"), MACHINES)
]
APART = {"clients", "clients-alone", "demo"}
"""Files that are resolved on their own."""
NOT_PORTABLE = {"moonshine-voice", "piper-tts"}


def required(name: str) -> Iterator[Requirement]:
    """The requirements in a file and in those that it includes, except light.txt."""
    for line in (REQUIREMENTS / f"{name}.txt").read_text().splitlines():
        text = line.partition(" #")[0].strip()
        if text.startswith("-r "):
            yield from () if name == "test" and "light" in text else required(text[3:].removesuffix(".txt"))
        elif text and not text.startswith("#"):
            yield Requirement(text)


def locked(name: str) -> list[Requirement]:
    text = (REQUIREMENTS / f"locked/{name}.txt").read_text()
    entries = re.findall(r"^([\w.-]+==.*?) \\\n((?: +--hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)", text, re.MULTILINE)
    assert len(entries) == len(re.findall(r"^\w", text, re.MULTILINE)), "an entry has no hash"
    return [Requirement(requirement) for requirement, _ in entries]


def applies(requirement: Requirement, environment: dict[str, str]) -> bool:
    return requirement.marker is None or requirement.marker.evaluate(environment)


@pytest.mark.parametrize("name", NAMES)
def test_locked_versions_satisfy_the_requirements(name):
    pins, requirements = locked(name), list(required(name))
    for environment in ENVIRONMENTS:
        versions = versions_in(pins, environment)
        for requirement in requirements:
            if applies(requirement, environment):
                version = versions.get(canonicalize_name(requirement.name))
                assert version, f"{requirement} isn't locked. Run: make lock"
                assert version in requirement.specifier, "Run: make lock"


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_locked_that_is_no_longer_required(name):
    text = (REQUIREMENTS / f"locked/{name}.txt").read_text()
    directly = re.findall(rf"^([\w.-]+)==(?:(?!^\w).)*?(?:via|#) +-r {name}\.txt$", text, re.MULTILINE | re.DOTALL)
    own = {canonicalize_name(Requirement(text).name) for text in own_lines(name)}
    assert set(directly) == own, "Run: make lock"


def own_lines(name: str) -> list[str]:
    lines = (line.partition(" #")[0].strip() for line in (REQUIREMENTS / f"{name}.txt").read_text().splitlines())
    return [line for line in lines if line and not line.startswith(("#", "-r"))]


def versions_in(pins: list[Requirement], environment: dict[str, str]) -> dict[str, str]:
    applying = [pin for pin in pins if applies(pin, environment)]
    versions = {canonicalize_name(pin.name): str(pin.specifier)[2:] for pin in applying}
    assert len(versions) == len(applying), "a package has two versions in one environment"
    return versions


@pytest.mark.parametrize("name", sorted(set(NAMES) - APART))
def test_a_package_has_one_version_on_all_pythons_unless_its_requirements_differ(name):
    """CI runs on one Python: a version that only others have is never tested."""
    pins = [pin.name for pin in locked(name)]
    for requirement in required(name):
        if requirement.marker is None or "python" not in str(requirement.marker):
            assert pins.count(requirement.name) == 1, f"Limit {requirement} to what the oldest Python can install"


def test_all_files_have_the_same_versions():
    for environment in ENVIRONMENTS[:: len(MACHINES) - 1]:
        common: dict[str, str] = {}
        for name in {*NAMES, "portable"} - APART:
            for package, version in versions_in(locked(name), environment).items():
                assert common.setdefault(package, version) == version, package


def test_the_portable_file_lacks_what_has_no_wheels_everywhere():
    portable = {pin.name for pin in locked("portable")}
    light = {canonicalize_name(requirement.name) for requirement in required("light")}
    assert light - portable == NOT_PORTABLE
    assert "onnxruntime" not in portable
