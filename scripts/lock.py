"""Write the exact versions of all packages, with the hashes of their files, to requirements/locked: make lock

requirements/*.txt are resolved together, for all supported Pythons and systems, so that any combination of the results
can be installed. Needs the internet.
"""

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

REQUIREMENTS = Path(__file__).parents[1] / "requirements"
LOCKED = REQUIREMENTS / "locked"
OLDEST_PYTHON = "3.11"

FILES = {
    "light": ["light"],
    "portable": ["light"],
    "test": ["test", "tracing"],  # what test.txt includes of light.txt is in locked/light.txt
    "torch": ["torch"],
    "whisper": ["whisper"],
    "tracing": ["tracing"],
    "release": ["release"],
    "pip": ["pip"],
    "uv": ["uv"],
}
"""Which requirements each locked file satisfies."""
APART = {"demo": ["--no-deps"], "clients": [], "clients-alone": ["--no-deps"]}
"""Files that are resolved on their own, with options: demo.txt says why, and the others are for another environment."""
NOT_PORTABLE = {"moonshine-voice", "piper-tts"}
"""Packages that have wheels for some C libraries only, which requirements files can't express; setup.sh installs
locked/portable.txt where they can't be installed."""

Entries = dict[str, list[str]]
"""The entries of each package: a pinned version with its hashes and a comment that lists what requires it. A package
has several versions if one does not fit all Pythons."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keep", action="store_true", help="upgrade no package that satisfies the requirements")
    keep = parser.parse_args().keep
    entries = entries_of(resolve({file for files in FILES.values() for file in files}, prefer=FILES if keep else ()))
    for name, files in FILES.items():
        roots = {f"-r {file}.txt" for file in files}
        write(name, required_by(roots, entries, without=NOT_PORTABLE if name == "portable" else set()))
    for name, options in APART.items():
        apart = entries_of(resolve({name}, *options, prefer=[name] if keep else ()))
        write(name, [entry for versions in apart.values() for entry in versions])


def resolve(names: Iterable[str], *options: str, prefer: Iterable[str]) -> str:
    """Resolve requirements files. `prefer`: locked files, whose versions stay if they satisfy the requirements."""
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "all.txt"
        kept = [file for name in prefer if (file := LOCKED / f"{name}.txt").exists()]
        output.write_text("".join(file.read_text() for file in kept))  # uv prefers the versions in its output file
        files = [f"{name}.txt" for name in sorted(names)]
        command = [uv(), "pip", "compile", "--quiet", "--universal", "--python-version", OLDEST_PYTHON, *options]
        command += ["--generate-hashes", "--no-header", "--output-file", str(output), *files]
        done = subprocess.run(command, cwd=REQUIREMENTS, stdout=subprocess.DEVNULL)  # noqa: S603
        if done.returncode:
            sys.exit(done.returncode)
        return output.read_text()


def uv() -> str:
    """Return the path of uv: that of the same environment, as setup.sh installs it, or the system's."""
    path = shutil.which("uv", path=str(Path(sys.executable).parent)) or shutil.which("uv")
    return path or sys.exit("uv isn't installed: run scripts/setup.sh test")


def entries_of(text: str) -> Entries:
    entries: Entries = {}
    for entry in re.findall(r"^[a-z0-9].*\n(?: .*\n?)*", text, re.MULTILINE):
        name = entry.partition("==")[0].partition("[")[0]
        entries.setdefault(name, []).append(entry)
    return entries


def required_by(roots: set[str], entries: Entries, without: set[str]) -> list[str]:
    """Return the entries that `roots` require, directly or through other packages, without some packages."""
    requirers = {name: _requirers("".join(versions)) for name, versions in entries.items()}
    found = set(roots)
    while added := {name for name in entries.keys() - found - without if requirers[name] & found}:
        found |= added
    return [entry for name, versions in entries.items() if name in found for entry in versions]


def _requirers(text: str) -> set[str]:
    return set(re.findall(r"^ +#(?: via)? +(\S.*)$", text, re.MULTILINE))


def write(name: str, entries: list[str]) -> None:
    (LOCKED / f"{name}.txt").write_text("# Written by `make lock`; not to be edited.\n" + "".join(entries))


if __name__ == "__main__":
    main()
