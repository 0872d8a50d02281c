"""Runs one inference process per device, and restarts each on its own."""

import asyncio
import contextlib
import logging
import os
import sys
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TextIO

from inference.engine import EngineUnusable
from inference.loading.device import visible_gpus
from inference.management.exit_deadline import EXIT_DEADLINE
from inference.observability.recent_errors import INITIALIZATION_ERROR

logger = logging.getLogger(__name__)

STARTED = "Engine "
"""Begins the line that an inference process prints when an engine is up."""
KILL_AFTER = EXIT_DEADLINE + 0.25
"""Seconds from the request to stop; a process exits by itself before."""
BACK_OFF, MAX_BACK_OFF = 1.0, 30.0
"""Seconds until a process is restarted, doubled each time..."""
STABLE_AFTER = 60.0
"""...until one has run so long."""
OUTPUT_TIMEOUT = 1.0
"""Seconds to read the rest of a process's output; a descendant may still have it open."""
MAX_LINE = 1 << 20
"""Bytes."""
KEPT_LINES = 20
"""Last lines of a process's standard error, which have the reason why it ended."""

_COMMAND = [sys.executable, str(Path(__file__).resolve().parents[2] / "manage.py"), "inference", "--end-with-stdin"]


class DeviceProcess:
    """The inference process of a device: its environment, its output with the device's name, and its restarts."""

    def __init__(self, label: str, arguments: Sequence[str], environment: Mapping[str, str]) -> None:
        """`label`: the device's name in logs. `environment`: variables in addition to those of this process."""
        self.label = label
        self.has_started = False
        """Whether an engine was up, in this process or in one before."""
        self.reason = ""
        """Why the last process ended."""
        self._arguments = arguments
        self._environment = environment
        self._errors: deque[str] = deque(maxlen=KEPT_LINES)

    async def run(self, on_end: Callable[[], None]) -> None:
        """Run the process until cancelled. `on_end` is called whenever it has ended."""
        back_off = BACK_OFF
        while True:
            started_at = time.monotonic()
            try:
                self.reason = self._reason(await self._run_once())
            except OSError as error:  # for example too little memory for another process
                self.reason = str(error)
            on_end()
            if time.monotonic() - started_at > STABLE_AFTER:
                back_off = BACK_OFF
            logger.error(
                "the inference process of %s ended; restarting in %.0f s: %s",
                self.label,
                back_off,
                self.reason,
                extra=INITIALIZATION_ERROR,
            )
            await asyncio.sleep(back_off)
            back_off = min(2 * back_off, MAX_BACK_OFF)

    async def _run_once(self) -> int:
        """Returns the exit code. When cancelled, the process has ended."""
        self._errors.clear()
        process = await asyncio.create_subprocess_exec(
            *_COMMAND,
            *self._arguments,
            env={**os.environ, **self._environment},
            stdin=asyncio.subprocess.PIPE,  # never written: it ends when this process does
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            limit=MAX_LINE,
            process_group=0,  # Ctrl-C signals this process, which stops all others
        )
        outputs = asyncio.gather(
            self._forward(process.stdout, sys.stdout), self._forward(process.stderr, sys.stderr), return_exceptions=True
        )
        try:
            return await process.wait()
        finally:
            await _stop(process)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(outputs, OUTPUT_TIMEOUT)

    async def _forward(self, stream: asyncio.StreamReader | None, output: TextIO) -> None:
        while stream is not None:
            try:
                line = (await stream.readline()).decode(errors="replace")
            except ValueError:
                continue  # longer than `MAX_LINE`
            if not line:
                return
            if output is sys.stderr:
                self._errors.append(line.rstrip())
            elif line.startswith(STARTED):
                self.has_started = True
            output.write(labelled(line, self.label))
            output.flush()

    def _reason(self, code: int) -> str:
        """The process's own error message, otherwise its exit code."""
        lines = list(self._errors)
        for index in reversed(range(len(lines))):
            if lines[index].startswith("CommandError: "):
                return " ".join(lines[index:]).removeprefix("CommandError: ")
        return f"killed by signal {-code}" if code < 0 else f"exit code {code}"


async def run_devices(devices: Sequence[str], arguments: Sequence[str]) -> None:
    """Run `manage.py inference` with these arguments for each device, until cancelled.

    Raises `EngineUnusable` in an exception group if all processes fail before an engine is up.
    """
    labels = [name if devices.count(name) == 1 else f"{name} {number}" for number, name in enumerate(devices, start=1)]
    processes = [
        DeviceProcess(label, arguments, environment_of(name, index))
        for index, (name, label) in enumerate(zip(devices, labels, strict=True))
    ]

    def check() -> None:
        if all(process.reason and not process.has_started for process in processes):
            raise EngineUnusable("\n".join(f"{process.label}: {process.reason}" for process in processes))

    async with asyncio.TaskGroup() as tasks:
        for process in processes:
            tasks.create_task(process.run(check))


def environment_of(device: str, index: int, environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The variables that restrict a process to its device. `index`: its position among all devices.

    A process sees only its own GPU, as its first one, whichever package runs the model.
    """
    kind, _, number = device.partition(":")
    variables = {"MOSHI_DEVICE": kind, "CUDA_VISIBLE_DEVICES": ""}
    if kind == "cuda":
        gpus = visible_gpus(environment)
        variables["CUDA_VISIBLE_DEVICES"] = gpus[int(number)] if int(number) < len(gpus) else number
    address, separator, port = environment.get("METRICS_PORT", "").rpartition(":")
    if port.isdecimal():
        variables["METRICS_PORT"] = f"{address}{separator}{int(port) + index}"
    if path := environment.get("LOG_FILE"):
        variables["LOG_FILE"] = str(Path(path).with_stem(f"{Path(path).stem}-{index}"))
    return variables


def labelled(line: str, label: str) -> str:
    """A line of output with the device's name; a JSON object stays one."""
    if line.startswith('{"'):
        return f'{{"device": "{label}", {line[1:]}'
    return f"[{label}] {line}"


async def _stop(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        async with asyncio.timeout(KILL_AFTER):
            await process.wait()
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
