"""Where an engine runs: in the event loop, in a thread or in a child process."""

from collections.abc import Sequence, Set
from typing import Protocol

from inference.engine import Inputs, StepOutput
from inference.messages import Event, Open, Voice


class Executor(Protocol):
    slots: int
    voices: list[Voice]
    """Known once it was started; none of an engine that listens."""

    @property
    def draining(self) -> Set[int]:
        """The slots in which the engine hears silence of its own, and wants no frames."""

    @property
    def steps_per_call(self) -> int:
        """Steps that it makes at one call, at most."""

    progress: str
    """What it is doing while it is started."""

    async def start(self) -> None:
        """Bring the engine up, again if it was lost."""

    async def open(self, slot: int, request: Open) -> None: ...
    async def step(self, rounds: Sequence[Inputs]) -> list[StepOutput]:
        """One step after another."""

    async def flush(self, slot: int) -> list[Event]: ...
    async def close(self, slot: int) -> None: ...
    async def stop(self) -> None: ...
