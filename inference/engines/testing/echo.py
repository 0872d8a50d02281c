"""Benchmark engine that answers every frame with a step and recognizes nothing, to measure the round trip."""

from collections.abc import Mapping

from inference.engine import Frame
from inference.messages import FRAME_SAMPLES, Event, Open, Step


class Echo:
    def __init__(self, slots: int) -> None:
        self.slots = slots
        self._processed = [0] * slots

    def open(self, slot: int, request: Open) -> None:
        self._processed[slot] = request.position

    def step(self, inputs: Mapping[int, Frame]) -> dict[int, list[Event]]:
        return {slot: [self._step(slot)] for slot in inputs}

    def _step(self, slot: int) -> Step:
        self._processed[slot] += FRAME_SAMPLES
        return Step(self._processed[slot], self._processed[slot], 0.0)

    def flush(self, slot: int) -> list[Event]:
        return []

    def close(self, slot: int) -> None:
        pass
