"""A child process whose output goes to a file."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

ENDS_WITHIN = 60.0
"""Seconds from SIGTERM; Daphne gives its connections ten of them."""
LOOKS_EVERY = 0.05


class Child:
    def __init__(self, command: Sequence[str], log: Path, env: Mapping[str, str] | None = None, **options: Any) -> None:
        """`options` are Popen's."""
        self.command = command
        self.log_file = log
        self._env = env
        self._options = options
        self.start()

    def start(self) -> None:
        """Also again, after it ended."""
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
                raise AssertionError(f"{self} ended with {self.process.returncode} while it started:\n{self.log}")
            if time.monotonic() > deadline:
                self._sweep()
                raise AssertionError(f"{self} was not ready within {within:.0f} s:\n{self.log}")
            time.sleep(LOOKS_EVERY)

    def kill(self) -> None:
        """At once and without a goodbye, as a crash or the kernel's out-of-memory killer would."""
        self.process.kill()
        self.process.wait()

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        """As an administrator would; whatever it left behind goes too."""
        self.process.send_signal(number)
        try:
            self.process.wait(ENDS_WITHIN)
        except subprocess.TimeoutExpired:
            raise AssertionError(
                f"{self} did not end within {ENDS_WITHIN:.0f} s of {number.name}:\n{self.log}"
            ) from None
        finally:
            self._sweep()

    def _sweep(self) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS refuses where only zombies are left
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def __str__(self) -> str:
        return " ".join(self.command)
