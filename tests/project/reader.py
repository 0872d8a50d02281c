"""A reader of the documentation: runs its commands and programs in a folder that looks like a checkout."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.clients.api import Access, wav_of
from tests.support.environment import ROOT
from tests.support.speech.checksum_audio import noise

PCM = noise(20)  # 1.6 s
RECORDINGS = ("speech.wav", "talk.mp3", "talks/talk.wav")
UV = f'#!/bin/sh\nshift\nexec {sys.executable} "$@"\n'
"""`uv run` with packages that are installed already."""
AT_THE_SAME_TIME = 3  # most of a program's time is its start


@dataclass(frozen=True)
class Done:
    output: str
    folder: Path


Results = dict[str, Done]
"""By the text of the program."""


@contextmanager
def running(programs: Iterable[tuple[str, list[str]]], access: Access, parent: Path) -> Iterator[Results]:
    """Run programs, each a text and its command, in folders of their own."""
    with ThreadPoolExecutor(AT_THE_SAME_TIME) as pool:
        started = {
            text: pool.submit(_run, command, access, parent / str(number))
            for number, (text, command) in enumerate(programs)
        }
        yield {text: future.result() for text, future in started.items()}


def _run(command: list[str], access: Access, folder: Path) -> Done:
    _prepare(folder)
    env = access.site.env | {
        "DSM_URL": access.url,
        "DSM_TOKEN": access.token,
        "PATH": f"{folder / 'bin'}:{os.environ['PATH']}",
    }
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, f"{command[-1]}\n{done.stdout}{done.stderr}"
    return Done(done.stdout, folder)


def _prepare(folder: Path) -> None:
    (folder / "talks").mkdir(parents=True)
    for name in RECORDINGS:
        (folder / name).write_bytes(wav_of(PCM))
    (folder / "speech.raw").write_bytes(PCM)
    (folder / "dsm.py").symlink_to(ROOT / "dsm.py")
    for example in (ROOT / "docs/examples").iterdir():
        shutil.copy(example, folder)
    uv = folder / "bin/uv"
    uv.parent.mkdir()
    uv.write_text(UV)
    uv.chmod(0o755)
