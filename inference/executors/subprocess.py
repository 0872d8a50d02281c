"""Runs an engine in a child process; for engines that hold the GIL while they compute."""

import asyncio
import contextlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from inference.engine import EngineLost, Inputs, StepOutput
from inference.executors.base import Executor
from inference.messages import Event, Voice

CALL_TIMEOUT = 20.0
"""Seconds that one call may take; the longest measured is 0.3 s, the end of a long segment."""
START_TIMEOUT = 60.0
STEPS_PER_CALL = 5
"""Maximum of steps per call for a lagging stream with a process of its own; saves a round trip per step."""
PROJECT = Path(__file__).resolve().parents[2]

_requests = msgspec.msgpack.Encoder(enc_hook=np.ndarray.tobytes)  # frames are sent as bytes
_replies: dict[str, msgspec.msgpack.Decoder[Any]] = {
    "open": msgspec.msgpack.Decoder(None),
    "steps": msgspec.msgpack.Decoder(list[StepOutput]),
    "flush": msgspec.msgpack.Decoder(list[Event]),
    "close": msgspec.msgpack.Decoder(None),
    "measure_capacity": msgspec.msgpack.Decoder(int),
}
"""Decoders of the replies, by method."""
_started = msgspec.msgpack.Decoder(tuple[int, list[Voice], bool])


class SubprocessExecutor(Executor):
    """Calls the engine over the standard input and output of its process (`subprocess_main.py`)."""

    def __init__(self, name: str, slots: int = 1) -> None:
        super().__init__(name, slots)
        self._requested_slots = slots
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        await self.stop()
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "inference.executors.subprocess_main",
            self.name,
            str(self._requested_slots),
            cwd=PROJECT,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        self.slots, self.voices, self.measures_capacity = _started.decode(await self._read_reply(START_TIMEOUT))
        self.steps_per_call = STEPS_PER_CALL if self.slots == 1 else 1

    async def stop(self) -> None:
        if self._process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()
        self._process = None

    async def step(self, rounds: Sequence[Inputs]) -> list[StepOutput]:
        """Make all steps in one call, because each has a round trip."""
        outputs: list[StepOutput] = await self.call("steps", rounds)
        return outputs

    async def call(self, method: str, *arguments: Any) -> Any:
        if self._process is None or self._process.stdin is None:
            raise EngineLost(f"the process of {self.name} is not running")
        request = _requests.encode((method, arguments))
        try:
            self._process.stdin.write(len(request).to_bytes(4, "big") + request)
            await self._process.stdin.drain()
        except ConnectionError as error:
            raise EngineLost(f"the process of {self.name} ended") from error
        reply = await self._read_reply(CALL_TIMEOUT)
        try:
            return _replies[method].decode(reply)
        except msgspec.MsgspecError as error:
            raise EngineLost(f"the process of {self.name} sent an invalid reply: {error}") from error

    async def _read_reply(self, seconds: float) -> bytes:
        if self._process is None or self._process.stdout is None:
            raise EngineLost(f"the process of {self.name} is not running")
        try:
            async with asyncio.timeout(seconds):
                size = int.from_bytes(await self._process.stdout.readexactly(4), "big")
                return await self._process.stdout.readexactly(size)
        except asyncio.IncompleteReadError as error:
            raise EngineLost(f"the process of {self.name} ended") from error
        except TimeoutError as error:
            raise EngineLost(f"the process of {self.name} did not respond within {seconds:.0f} s") from error
