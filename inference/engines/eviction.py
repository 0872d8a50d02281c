"""What engines do when a step runs out of memory: the newest streams make room for the others."""

import logging
from collections.abc import Callable, Mapping
from math import ceil
from typing import TypeVar

import torch

from inference.engine import StepOutput
from inference.messages import Closed

logger = logging.getLogger(__name__)

EVICTED_SHARE = 0.25
"""The share of the streams that lose their slots when memory runs out."""
OUT_OF_MEMORY = Closed("the engine is out of memory")

Result = TypeVar("Result")


def run_evicting(
    step: Callable[[], Result], streams: Mapping[int, object], close: Callable[[int], None]
) -> tuple[Result, StepOutput]:
    """Run a step. Each time that it runs out of memory, close the newest quarter of the streams and repeat it.

    `streams`: by slot, the newest last; `close` removes one of them. Before the step raises `torch.OutOfMemoryError` it
    restores the state that it changed. Returns its result, and a `Closed` for each closed slot.
    """
    closed: StepOutput = {}
    while True:
        try:
            return step(), closed
        except torch.OutOfMemoryError as error:
            if not streams:
                raise
            reason = str(error)
        # The error is gone here: its traceback would keep what the step had allocated.
        torch.cuda.empty_cache()
        newest = list(streams)[-ceil(EVICTED_SHARE * len(streams)) :]
        logger.error(
            "out of memory; evicting %d of %d streams: %s",
            len(newest),
            len(streams),
            reason,
            extra={"error_class": "memory"},
        )
        for slot in newest:
            close(slot)
            closed[slot] = [OUT_OF_MEMORY]
