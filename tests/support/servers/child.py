"""A child process whose output goes to a file."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

STOP_TIMEOUT = 60.0
"""Seconds from SIGTERM to exit; Daphne gives its connections ten of them."""
POLL_INTERVAL = 0.05


class Child:
    def __init__(self, command: Sequence[str], log: Path, env: Mapping[str, str] | None = None, **options: Any) -> None:
        """`options`: those of `Popen`."""
        self.command = command
        self.log_file = log
        self._env = env
        self._options = options
        self.start()

    def start(self) -> None:
        """Start the process, also again after it ended."""
        with self.log_file.open("ab") as log:
            self.process = subprocess.Popen(
                self.command,
                env=self._env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                **self._options,
            )

    @property
    def log(self) -> str:
        return self.log_file.read_text(errors="replace")

    def wait_until(self, ready: Callable[[], bool], within: float = 120.0) -> None:
        deadline = time.monotonic() + within
        while not ready():
            if self.process.poll() is not None:
                raise AssertionError(f"{self} exited with {self.process.returncode} during startup:\n{self.log}")
            if time.monotonic() > deadline:
                self._kill_group()
                raise AssertionError(f"{self} was not ready within {within:.0f} s:\n{self.log}")
            time.sleep(POLL_INTERVAL)

    def kill(self) -> None:
        """Kill it immediately, like a crash or the kernel's out-of-memory killer."""
        self.process.kill()
        self.process.wait()

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Stop it gracefully, then kill its remaining descendants."""
        self.process.send_signal(number)
        try:
            self.process.wait(STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            raise AssertionError(
                f"{self} did not end within {STOP_TIMEOUT:.0f} s of {number.name}:\n{self.log}"
            ) from None
        finally:
            self._kill_group()

    def _kill_group(self) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS refuses if only zombies are left
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def __str__(self) -> str:
        return " ".join(self.command)
