"""What an engine is: one batched step for all slots that have something to do.

An engine is one file in `inference/engines/` with a class that satisfies `Engine`, and one line in its index.
It is plain synchronous code, called from one place at a time; an *executor* (`executors/`) decides where it runs.
"""

from collections.abc import Mapping
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from inference.messages import Event, Open, Voice

Frame = NDArray[np.float32]
"""float32[1920] in -1..1, mono, 24 kHz."""
Inputs = Mapping[int, Frame | str]
"""What the slots are given in one step."""
StepOutput = dict[int, list[Event]]
"""What follows from it in each."""

Input = TypeVar("Input", Frame, str, contravariant=True)


class Engine(Protocol[Input]):
    """What one hears, and what the other speaks, differ in what a step is given."""

    slots: int
    """How many streams it carries at once; they are numbered from 0."""

    def open(self, slot: int, request: Open) -> None:
        """Begin afresh in `slot` with a stream whose first sample is number `request.position` of its session."""

    def step(self, inputs: Mapping[int, Input]) -> dict[int, list[Event]]:
        """Go on in each of the slots given; tell what follows from it."""

    def flush(self, slot: int) -> list[Event]:
        """The input pauses or ends here: bring everything before it to its end."""

    def close(self, slot: int) -> None:
        """The stream is gone; the slot may be opened again."""

    # An engine that hears silence of its own, to bring the last words out, has `busy: set[int]`: the slots in which the
    # next steps do that, and which are given no frames meanwhile. `step` is called for them, with nothing if need be.


class SttEngine(Engine[Frame], Protocol):
    """Speech to text. A step hears one frame in each slot, and tells a `Step` last; `flush` tells all that remains."""


class TtsEngine(Engine[str], Protocol):
    """Text to speech. A step is given the words that came since the last one, "" if none did, and tells what was made:
    `Audio` of one frame each, `Word`s, and a `Step`.

    A slot has work from when text comes, or a `flush`, until a step tells nothing of it: then it waits for more text
    or, after a flush, has spoken everything. A slot that did not get its turn tells a `Step` alone.
    """

    voices: list[Voice]
    """At least one; the first is the default."""


class EngineUnusable(Exception):
    """The engine cannot run here, as it says in words; to start it again in this process would not help."""


class EngineLost(Exception):
    """The engine died or answers no more; what it had taken and not yet told is lost."""
