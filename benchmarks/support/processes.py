"""Starts the real processes that a benchmark measures, on free ports and in a temporary folder."""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil

PROJECT = Path(__file__).resolve().parents[2]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Processes:
    """The child processes of one measurement, by name."""

    def __init__(self, env: dict[str, str]) -> None:
        self.env = {**os.environ, "PYTHONPATH": str(PROJECT), **env}
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, *command: str, log: Path | None = None, **env: str) -> None:
        with (log or Path(os.devnull)).open("ab") as out:
            self.running[name] = subprocess.Popen(
                command, env=self.env | env, cwd=PROJECT, stdout=out, stderr=out if log else None
            )

    def python(self, name: str, *arguments: str, log: Path | None = None, **env: str) -> None:
        self.start(name, sys.executable, *arguments, log=log, **env)

    @property
    def web_log(self) -> Path:
        return Path(self.env["DATA_DIR"], "web.log")

    def cpu_seconds(self) -> dict[str, float]:
        return {name: _cpu_seconds(process.pid) for name, process in self.running.items()}

    def stop(self) -> None:
        for process in self.running.values():
            process.terminate()
        for process in self.running.values():
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()


def _cpu_seconds(pid: int) -> float:
    process = psutil.Process(pid)
    times = [member.cpu_times() for member in (process, *process.children(recursive=True))]
    return sum(time.user + time.system for time in times)


@contextmanager
def processes(**env: str) -> Iterator[Processes]:
    """Processes with their own Redis (REDIS_URL) and data folder (DATA_DIR)."""
    if not shutil.which("redis-server"):
        sys.exit("This benchmark needs redis-server: apt-get install redis-server")
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        port = free_port()
        running = Processes(
            {"DATA_DIR": folder, "REDIS_URL": f"redis://127.0.0.1:{port}/0", "LOG_LEVEL": "ERROR", **env}
        )
        stack.callback(running.stop)
        running.start("redis", "redis-server", "--port", str(port), "--save", "", "--appendonly", "no", "--dir", folder)
        wait_for_port(port)
        yield running


@contextmanager
def site_processes(engine: str, slots: int, **env: str) -> Iterator[tuple[int, Processes]]:
    """A web process, which logs to `web_log`, and an inference process with so many slots; yields the port of the site
    once its engine runs."""
    port = free_port()
    with processes(PORT=str(port), STREAMS_PER_USER="100000", STT_ENGINE=engine, TTS_ENGINE="", **env) as running:
        running.python("web", "manage.py", "serve", log=running.web_log)
        running.python("inference", "manage.py", "inference", "--slots", str(slots))
        wait_for_engine(port)
        yield port, running


def tickets(env: dict[str, str], count: int) -> list[str]:
    """Tickets for the site of this environment. Issued in a separate process, because settings are read only once."""
    code = (
        "from datetime import timedelta\n"
        "from accounts.credentials.jwt import tokens\n"
        "from accounts.models import User\n"
        "email = 'speaker@example.org'\n"
        "user = User.objects.filter(email=email).first() or User.objects.create_superuser(email)\n"
        f"for _ in range({count}): print(tokens.issue(user, tokens.TICKET_AUDIENCE, timedelta(hours=1)))"
    )
    command = [sys.executable, "manage.py", "shell", "--verbosity=0", "--command", code]
    return subprocess.run(command, env=env, cwd=PROJECT, capture_output=True, check=True, text=True).stdout.split()


def wait_for_port(port: int) -> None:
    wait_for(lambda: socket.create_connection(("127.0.0.1", port), 1).close())


def wait_for_site(port: int) -> None:
    wait_for(lambda: urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=1).close())


def wait_for_engine(port: int, kind: str = "batched_asr") -> None:
    """Wait until an engine has slots. `kind` as in moshi-server: "batched_asr" is STT, "py" TTS."""

    def check() -> None:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/modules_info", timeout=5) as response:
            if not any(module["type"] == kind and module["total_slots"] != "0" for module in json.load(response)):
                raise ConnectionRefusedError(f"No engine of kind {kind} is running.")

    wait_for(check)


def wait_for(attempt: Callable[[], None], timeout: float = 120.0) -> None:
    """Repeat until it raises no OSError. Processes start slowly on a busy machine."""
    deadline = time.monotonic() + timeout
    while True:
        try:
            attempt()
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
