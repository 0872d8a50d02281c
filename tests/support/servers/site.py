"""The real site as its users run it: child processes of their own, with a fresh database and nothing configured."""

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
ANSWERS_WITHIN = 5.0


_MANAGE = [sys.executable, "manage.py"]


class Site:
    def __init__(self, folder: Path, env: dict[str, str], from_nothing: bool = False) -> None:
        """`folder`: for its data and logs, on a disk and empty. `from_nothing`: it makes its own database; else, if
        that is in a file, it finds an empty one, as one that is started again does."""
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
            "TTS_ENGINE": "",  # most tests are about listening, and its engines take a second to start
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
        """What its processes have said so far."""
        return "".join(child.log for child in self._children)

    def wait_until_ready(self) -> None:
        """It answers, and knows of the engines that it should have."""
        self.web.wait_until(self._is_healthy)
        for child in self.inference:
            child.wait_until(partial(_has_engine, child))
        if self.inference or not self.env.get("REDIS_URL"):
            self.web.wait_until(self._knows_its_engines)

    def add_inference(self, *arguments: str) -> Child:
        """One more `manage.py inference`, with these command-line arguments."""
        child = self._child("inference", f"inference-{len(self.inference)}.log", *arguments)
        self.inference.append(child)
        return child

    def add_web(self, port: str = "") -> None:
        """One more `manage.py serve` of the same site, beside the first. Returns when it answers at `urls[-1]`."""
        port = port or str(free_port())
        url = f"http://127.0.0.1:{port}"
        self.urls.append(url)
        child = self._child("serve", f"web-{port}.log", env=self.env | {"PORT": port, "SITE_URL": self.url})
        self.more_web.append(child)
        child.wait_until(lambda: _ask(f"{url}/healthz") is not None)

    def manage(self, *arguments: str) -> str:
        """Run another management command on the same site: what it printed."""
        done = subprocess.run([*_MANAGE, *arguments], env=self.env, cwd=ROOT, capture_output=True, text=True)
        assert done.returncode == 0, f"manage.py {' '.join(arguments)} failed:\n{done.stdout}{done.stderr}"
        return done.stdout

    def shell(self, code: str) -> str:
        """Run Python inside the same site, its models at hand: what it printed."""
        if self._shell is None:
            self._shell = Shell(_MANAGE, self.env)
        return self._shell.run(code).strip()

    def close_shell(self) -> None:
        """The next one has new connections to the database."""
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

    def _is_healthy(self) -> bool:
        return _ask(f"{self.url}/healthz") is not None

    def _knows_its_engines(self) -> bool:
        up = {module["type"] for module in _ask(f"{self.url}/api/modules_info") or () if module["total_slots"] != "0"}
        return bool(up) and up >= self._kinds_wanted

    @property
    def _kinds_wanted(self) -> set[str]:
        """None where inference processes were told what to run."""
        if any("--engine" in child.command or "--preset" in child.command for child in self.inference):
            return set()
        return {"batched_asr"} | ({"py"} if self.env["TTS_ENGINE"] else set())


def _ask(url: str) -> Any:
    """The JSON that is there; None if nobody answers."""
    try:
        with urllib.request.urlopen(url, timeout=ANSWERS_WITHIN) as answer:
            return json.load(answer)
    except (urllib.error.URLError, OSError):
        return None


@cache
def _empty_database() -> Path:
    """The folder with it; to make it takes as long as a site takes to start with it."""
    folder = Path(tempfile.mkdtemp(prefix="empty-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    env = without_own_settings() | {"DATA_DIR": str(folder), "SECRET_KEY": secrets.token_urlsafe()}
    subprocess.run([*_MANAGE, "migrate", "--verbosity=0"], env=env, cwd=ROOT, check=True)
    return folder


@contextmanager
def running_site(folder: Path, inference: int = 0, *, from_nothing: bool = False, **env: str) -> Iterator[Site]:
    """A site that answers. `inference` processes beside the web side need a REDIS_URL in `env`; 0: all in one process.

    Leaving fails if a process did not end when told to, or if one of them logged a traceback.
    """
    with ExitStack() as stack:
        site = Site(folder, env, from_nothing)
        stack.callback(lambda: print(site.log))  # pytest shows it beside a test that failed
        stack.callback(site.stop)
        for _ in range(inference):
            site.add_inference()
        site.wait_until_ready()
        yield site
    site.assert_no_bugs()


def _has_engine(inference: Child) -> bool:
    """It has said which, the last thing before it begins to work."""
    return "Engine " in inference.log
