"""An executor runs an engine: in the event loop, in a thread or in a child process."""

from abc import ABC, abstractmethod
from collections.abc import Sequence, Set
from typing import Any

from inference.engine import Inputs, StepOutput
from inference.messages import Event, Open, SlotLimits, Voice


class Executor(ABC):
    def __init__(self, name: str, slots: int) -> None:
        """`slots`: 0 for as many as the engine carries, known after the start."""
        self.name = name
        self.slots = slots
        self.voices: list[Voice] = []
        """Known after the start; empty for a speech-to-text engine."""
        self.draining: Set[int] = frozenset()
        """The slots that the engine flushes with silence of its own; they accept no frames."""
        self.measures_capacity = False
        """Whether `slots` was measured; known after the start."""
        self.slot_limits: SlotLimits | None = None
        """Known after the start, of an engine that chose `slots` by memory and the duration of its steps."""
        self.steps_per_call = 1
        """Maximum number of steps per call."""
        self.progress = ""
        """Progress of the start; empty afterwards."""

    @abstractmethod
    async def start(self) -> None:
        """Start the engine, or restart it if it was lost."""

    @abstractmethod
    async def stop(self) -> None: ...

    @abstractmethod
    async def call(self, method: str, *arguments: Any) -> Any:
        """Call a method of the engine. Raises `EngineLost` and `EngineUnusable`."""

    async def open(self, slot: int, request: Open) -> None:
        await self.call("open", slot, request)

    async def step(self, rounds: Sequence[Inputs]) -> list[StepOutput]:
        """Make one step per element, in order."""
        return [await self.call("step", inputs) for inputs in rounds]

    async def flush(self, slot: int) -> list[Event]:
        events: list[Event] = await self.call("flush", slot)
        return events

    async def measure_capacity(self) -> int:
        """Measure once more how many streams the engine carries, which takes as long as a recognition."""
        slots: int = await self.call("measure_capacity")
        return slots

    async def close(self, slot: int) -> None:
        await self.call("close", slot)
