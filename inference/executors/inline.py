"""Runs an engine in the event loop; for fast engines."""

import contextlib
from collections.abc import Iterator, Sequence, Set
from typing import Any

from inference import engines
from inference.engine import Engine, EngineLost, Inputs, StepOutput
from inference.messages import Event, Open, Voice


class InlineExecutor:
    def __init__(self, name: str, slots: int) -> None:
        self._name = name
        self.slots = slots
        self.voices: list[Voice] = []
        self.draining: Set[int] = frozenset()
        self.steps_per_call = 1
        self.progress = ""
        self._engine: Engine[Any]

    async def start(self) -> None:
        self._engine = engines.load(self._name, self.slots)
        self.voices = engines.voices_of(self._engine)

    async def open(self, slot: int, request: Open) -> None:
        with self._lost_on_error():
            self._engine.open(slot, request)

    async def step(self, rounds: Sequence[Inputs]) -> list[StepOutput]:
        with self._lost_on_error():
            return [self._engine.step(inputs) for inputs in rounds]

    async def flush(self, slot: int) -> list[Event]:
        with self._lost_on_error():
            return self._engine.flush(slot)

    async def close(self, slot: int) -> None:
        with self._lost_on_error():
            self._engine.close(slot)

    async def stop(self) -> None:
        pass

    @contextlib.contextmanager
    def _lost_on_error(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            raise EngineLost(f"{self._name} failed: {error!r}") from error
