"""The interface of an executor, which runs an engine in the event loop, in a thread or in a child process."""

from collections.abc import Sequence, Set
from typing import Protocol

from inference.engine import Inputs, StepOutput
from inference.messages import Event, Open, Voice


class Executor(Protocol):
    slots: int
    voices: list[Voice]
    """Known after the start; empty for a speech-to-text engine."""

    @property
    def draining(self) -> Set[int]:
        """The slots that the engine flushes with silence of its own; they accept no frames."""

    @property
    def steps_per_call(self) -> int:
        """Maximum number of steps per call."""

    progress: str
    """Progress of the start; empty afterwards."""

    async def start(self) -> None:
        """Start the engine, or restart it if it was lost."""

    async def open(self, slot: int, request: Open) -> None: ...
    async def step(self, rounds: Sequence[Inputs]) -> list[StepOutput]:
        """Make one step per element, in order."""

    async def flush(self, slot: int) -> list[Event]: ...
    async def close(self, slot: int) -> None: ...
    async def stop(self) -> None: ...
