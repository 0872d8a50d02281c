"""Runs an engine in a child process; for engines that hold the GIL while they compute."""

import asyncio
import contextlib
import sys
from collections.abc import Sequence, Set
from pathlib import Path
from typing import Any

import msgspec

from inference.engine import EngineLost, Inputs, StepOutput
from inference.messages import Event, Open, Voice

CALL_TIMEOUT = 20.0
"""Seconds that one call may take; the longest measured is 0.3 s, the end of a long segment."""
START_TIMEOUT = 60.0
STEPS_PER_CALL = 5
"""Maximum of steps per call for a lagging stream with a process of its own; saves a round trip per step."""
PROJECT = Path(__file__).resolve().parents[2]


class SubprocessExecutor:
    """Calls the engine over the standard input and output of its process (`subprocess_main.py`)."""

    def __init__(self, name: str, slots: int = 1) -> None:
        """`slots`: 0 for as many as the engine carries, known after the start."""
        self._name = name
        self.slots = slots
        self.voices: list[Voice] = []
        self.draining: Set[int] = frozenset()
        self.progress = ""
        self._process: asyncio.subprocess.Process | None = None
        self._steps = msgspec.msgpack.Decoder(list[StepOutput])
        self._events = msgspec.msgpack.Decoder(list[Event])

    async def start(self) -> None:
        await self.stop()
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "inference.executors.subprocess_main",
            self._name,
            str(self.slots),
            cwd=PROJECT,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        self.slots, self.voices = msgspec.msgpack.decode(
            await self._read_reply(START_TIMEOUT), type=tuple[int, list[Voice]]
        )

    @property
    def steps_per_call(self) -> int:
        return STEPS_PER_CALL if self.slots == 1 else 1

    async def open(self, slot: int, request: Open) -> None:
        await self._call("open", slot, request)

    async def step(self, rounds: Sequence[Inputs]) -> list[StepOutput]:
        return self._steps.decode(await self._call("step", [_raw(inputs) for inputs in rounds]))

    async def flush(self, slot: int) -> list[Event]:
        return self._events.decode(await self._call("flush", slot))

    async def close(self, slot: int) -> None:
        await self._call("close", slot)

    async def stop(self) -> None:
        if self._process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()
        self._process = None

    async def _call(self, method: str, *arguments: Any) -> bytes:
        if self._process is None or self._process.stdin is None:
            raise EngineLost(f"the process of {self._name} is not running")
        request = msgspec.msgpack.encode((method, arguments))
        try:
            self._process.stdin.write(len(request).to_bytes(4, "big") + request)
            await self._process.stdin.drain()
        except ConnectionError as error:
            raise EngineLost(f"the process of {self._name} ended") from error
        return await self._read_reply(CALL_TIMEOUT)

    async def _read_reply(self, seconds: float) -> bytes:
        if self._process is None or self._process.stdout is None:
            raise EngineLost(f"the process of {self._name} is not running")
        try:
            async with asyncio.timeout(seconds):
                size = int.from_bytes(await self._process.stdout.readexactly(4), "big")
                return await self._process.stdout.readexactly(size)
        except asyncio.IncompleteReadError as error:
            raise EngineLost(f"the process of {self._name} ended") from error
        except TimeoutError as error:
            raise EngineLost(f"the process of {self._name} did not respond within {seconds:.0f} s") from error


def _raw(inputs: Inputs) -> dict[int, bytes | str]:
    return {slot: value if isinstance(value, str) else value.tobytes() for slot, value in inputs.items()}
