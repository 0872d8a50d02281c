"""The interface of an engine: one batched step for all slots that have work.

An engine is one file in `inference/engines/` with a class that satisfies `Engine`, and one entry in `registry.py`.
It is plain synchronous code whose methods are never called concurrently; an *executor* (`executors/`) decides where it
runs.
"""

from collections.abc import Mapping
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from inference.messages import Event, Open, SlotLimits, Voice

Frame = NDArray[np.float32]
"""float32[1920] in -1..1, mono, 24 kHz."""
Inputs = Mapping[int, Frame | str]
"""The input of one step, by slot."""
StepOutput = dict[int, list[Event]]
"""The events of one step, by slot."""

Input = TypeVar("Input", Frame, str, contravariant=True)


class Engine(Protocol[Input]):
    """A speech-to-text or text-to-speech engine; the two differ in the input of a step."""

    slots: int
    """Maximum number of concurrent streams; slots are numbered from 0."""

    def open(self, slot: int, request: Open) -> None:
        """Reset `slot` for a stream whose first sample is number `request.position` of its session."""

    def step(self, inputs: Mapping[int, Input]) -> dict[int, list[Event]]:
        """Process the next input of each given slot and return the events that follow from it."""

    def flush(self, slot: int) -> list[Event]:
        """The input pauses or ends here: finish everything before it."""

    def close(self, slot: int) -> None:
        """The stream ended; the slot may be opened again."""

    # An engine that flushes the last words with silence of its own has `draining: set[int]`: the slots in which the
    # next steps do that, and which are given no frames meanwhile. `step` is called for them, with no inputs if need be.
    #
    # An engine that measures how many streams the machine carries has `measures_capacity: bool`, true unless the number
    # of slots was given, and `measure_capacity() -> int`, which is called again while it has no streams.
    #
    # An engine that chose its number of slots by memory and the duration of its steps has `slot_limits: SlotLimits`.


class SttEngine(Engine[Frame], Protocol):
    """Speech to text. A step processes one frame per slot and ends with a `Step`; `flush` returns all that remains."""


class TtsEngine(Engine[str], Protocol):
    """Text to speech. A step is given the words that arrived since the last one, "" if none did, and returns the
    output: `Audio` of one frame each, `Word`s, and a `Step`.

    A slot has work from the moment text or a `flush` arrives until a step returns nothing for it: then it waits for
    more text or, after a flush, has spoken everything. A slot that did not get its turn returns a `Step` alone.
    """

    voices: list[Voice]
    """At least one; the first is the default."""


def voices_of(engine: Engine[Any]) -> list[Voice]:
    return getattr(engine, "voices", [])


def measures_capacity(engine: Engine[Any]) -> bool:
    return getattr(engine, "measures_capacity", False)


def slot_limits_of(engine: Engine[Any]) -> SlotLimits | None:
    return getattr(engine, "slot_limits", None)


class EngineUnusable(Exception):
    """The engine cannot run here; the message gives the reason. Restarting it in this process would not help."""


class EngineLost(Exception):
    """The engine died or does not respond; input that it had received and not yet processed is lost."""
