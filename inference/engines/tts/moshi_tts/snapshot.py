"""A copy of what a step changes, from which an interrupted step can be repeated exactly."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

import torch

CONSTANT = ("exec_mask", "k_cross", "v_cross")
"""Tensors of a module's state that a step reads only: its mask, and the keys and values of the voice."""


class Snapshot:
    """Copies of counters, and of the past of convolutions: tens of kilobytes per slot. They are allocated once.

    Keys and values need no copy: a step writes them behind the end that the counters give, and writes them again when
    it is repeated.
    """

    def __init__(self, states: Iterable[Any]) -> None:
        """`states`: of streaming modules of the moshi package."""
        by_dtype: dict[torch.dtype, list[torch.Tensor]] = defaultdict(list)  # tensors of one dtype are copied at once
        for state in states:
            for tensor in _changing(state):
                by_dtype[tensor.dtype].append(tensor)
        self._groups = [(tensors, [tensor.clone() for tensor in tensors]) for tensors in by_dtype.values()]

    def take(self) -> None:
        for tensors, copies in self._groups:
            torch._foreach_copy_(copies, tensors)

    def restore(self) -> None:
        for tensors, copies in self._groups:
            torch._foreach_copy_(tensors, copies)


def _changing(state: Any) -> Iterator[torch.Tensor]:
    for name, value in vars(state).items():
        if isinstance(value, torch.Tensor) and name not in CONSTANT:
            yield value
    if (ring := getattr(state, "kv_cache", None)) is not None:
        yield ring.end_offset
