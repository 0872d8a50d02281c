"""Runs an engine in the event loop; for fast engines."""

from typing import Any

from inference.engine import Engine, EngineLost, measures_capacity, voices_of
from inference.engines import registry
from inference.executors.base import Executor


class InlineExecutor(Executor):
    def __init__(self, name: str, slots: int) -> None:
        super().__init__(name, slots)
        self._engine: Engine[Any]

    async def start(self) -> None:
        self._engine = registry.load(self.name, self.slots)
        self.voices = voices_of(self._engine)
        self.measures_capacity = measures_capacity(self._engine)

    async def stop(self) -> None:
        pass

    async def call(self, method: str, *arguments: Any) -> Any:
        try:
            return getattr(self._engine, method)(*arguments)
        except Exception as error:
            raise EngineLost(f"{self.name} failed: {error!r}") from error
