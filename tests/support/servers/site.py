"""The real site in child processes, with a fresh database and default settings."""

import atexit
import json
import re
import secrets
import shutil
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache, partial
from pathlib import Path
from typing import Any

from tests.support.environment import ROOT, without_own_settings
from tests.support.servers.child import Child
from tests.support.servers.ports import free_port
from tests.support.servers.shell import Shell

BUGS = re.compile(r"^Traceback \(most recent call last\)|exception was never retrieved|was never awaited", re.MULTILINE)
REQUEST_TIMEOUT = 5.0

_MANAGE = [sys.executable, "manage.py"]


class Site:
    def __init__(self, folder: Path, env: dict[str, str], from_nothing: bool = False) -> None:
        """`folder`: empty folder for its data and logs. `from_nothing`: the site creates its database; otherwise an
        SQLite site starts with an empty, migrated one, which is faster."""
        port = env.get("PORT") or str(free_port())
        self.url = f"http://127.0.0.1:{port}"
        self.urls = [self.url]
        self.env = without_own_settings() | {
            "HOST": "127.0.0.1",
            "PORT": port,
            "DATA_DIR": str(folder / "data"),
            "SECRET_KEY": secrets.token_urlsafe(),
            "PYTHONUNBUFFERED": "1",
            "STT_SLOTS": "2",
            "LLM_DISCOVER": "off",
            "TTS_ENGINE": "",  # most tests need only STT, and TTS engines take a second to start
            **env,
        }
        self.inference: list[Child] = []
        self.more_web: list[Child] = []
        self._shell: Shell | None = None
        self._folder = folder
        if not from_nothing and "DATABASE_URL" not in env:
            shutil.copytree(_empty_database(), folder / "data")
        self.web = self._child("serve", "web.log")

    @property
    def log(self) -> str:
        """Output of all its processes so far."""
        return "".join(child.log for child in self._children)

    def wait_until_ready(self) -> None:
        """Wait until it responds and has discovered its engines."""
        self._open_shell()  # both take seconds to import everything, so they do it at the same time
        self.web.wait_until(partial(_is_responding, self.url))
        for url, child in zip(self.urls[1:], self.more_web, strict=True):
            child.wait_until(partial(_is_responding, url))
        for child in self.inference:
            child.wait_until(partial(_has_engine, child))
        if self.inference or not self.env.get("REDIS_URL"):
            self.web.wait_until(self._knows_its_engines)

    def add_inference(self, *arguments: str) -> Child:
        """Start another `manage.py inference` with these command-line arguments."""
        child = self._child("inference", f"inference-{len(self.inference)}.log", *arguments)
        self.inference.append(child)
        return child

    def add_web(self, port: str = "") -> None:
        """Start another `manage.py serve` of the same site. Returns when it responds at `urls[-1]`."""
        self.start_web(port)
        self.more_web[-1].wait_until(partial(_is_responding, self.urls[-1]))

    def start_web(self, port: str = "") -> None:
        """`add_web` without waiting."""
        port = port or str(free_port())
        self.urls.append(f"http://127.0.0.1:{port}")
        env = self.env | {"PORT": port, "SITE_URL": self.url}
        self.more_web.append(self._child("serve", f"web-{port}.log", env=env))

    def manage(self, *arguments: str) -> str:
        """Run another management command on the same site and return what it printed."""
        done = subprocess.run([*_MANAGE, *arguments], env=self.env, cwd=ROOT, capture_output=True, text=True)
        assert done.returncode == 0, f"manage.py {' '.join(arguments)} failed:\n{done.stdout}{done.stderr}"
        return done.stdout

    def shell(self, code: str) -> str:
        """Run Python code inside the same site and return what it printed."""
        return self._open_shell().run(code).strip()

    def _open_shell(self) -> Shell:
        if self._shell is None:
            self._shell = Shell(_MANAGE, self.env)
        return self._shell

    def close_shell(self) -> None:
        """Close the shell; the next one opens new database connections."""
        if self._shell:
            self._shell.close()
        self._shell = None

    def stop(self) -> None:
        self.close_shell()
        for child in self._children:
            child.stop()

    def assert_no_bugs(self) -> None:
        assert not (found := BUGS.search(self.log)), f"The site's log has “{found[0]}”:\n{self.log}"

    @property
    def _children(self) -> list[Child]:
        return [*self.inference, *self.more_web, self.web]

    def _child(self, command: str, log: str, *arguments: str, env: dict[str, str] | None = None) -> Child:
        return Child([*_MANAGE, command, *arguments], self._folder / log, env or self.env, cwd=ROOT)

    def _knows_its_engines(self) -> bool:
        up = {module["type"] for module in _get(f"{self.url}/api/modules_info") or () if module["total_slots"] != "0"}
        return bool(up) and up >= self._expected_kinds

    @property
    def _expected_kinds(self) -> set[str]:
        """Expected module types; empty if inference processes got explicit engines."""
        if any("--engine" in child.command or "--preset" in child.command for child in self.inference):
            return set()
        return {"batched_asr"} | ({"py"} if self.env["TTS_ENGINE"] else set())


def _is_responding(url: str) -> bool:
    return _get(f"{url}/healthz") is not None


def _get(url: str) -> Any:
    """JSON at the URL; None if there is no response."""
    try:
        with urllib.request.urlopen(url, timeout=REQUEST_TIMEOUT) as response:
            return json.load(response)
    except (urllib.error.URLError, OSError):
        return None


@cache
def _empty_database() -> Path:
    """Folder of a migrated, empty database, created once: migrating takes as long as starting a site."""
    folder = Path(tempfile.mkdtemp(prefix="empty-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    env = without_own_settings() | {"DATA_DIR": str(folder), "SECRET_KEY": secrets.token_urlsafe()}
    subprocess.run([*_MANAGE, "migrate", "--verbosity=0"], env=env, cwd=ROOT, check=True)
    return folder


@contextmanager
def running_site(
    folder: Path, inference: int = 0, *, web: int = 1, from_nothing: bool = False, **env: str
) -> Iterator[Site]:
    """A running site. `inference`: number of inference processes, which need a REDIS_URL in `env`; 0: one process.
    `web`: number of web processes.

    Fails on exit if a process does not stop on request, or if one logged a traceback.
    """
    with ExitStack() as stack:
        site = Site(folder, env, from_nothing)
        stack.callback(lambda: print(site.log))  # pytest shows it with a failed test
        stack.callback(site.stop)
        for _ in range(inference):
            site.add_inference()
        for _ in range(web - 1):
            site.start_web()
        site.wait_until_ready()
        yield site
    site.assert_no_bugs()


def _has_engine(inference: Child) -> bool:
    """Whether it has logged its engine, which it does right before it starts working."""
    return "Engine " in inference.log
