"""Streaming state of a model, with one row per stream.

The moshi package allocates it for a fixed batch. Here a row can be copied over another, and a step can run on the first
few rows: all tensors of the state have the batch first (the ring caches second), so a smaller batch is a view of them.
"""

from collections.abc import Callable, Iterator
from copy import copy
from typing import Any

import torch
from moshi.modules.streaming import State, StreamingModule
from moshi.modules.transformer import RingKVCache

States = dict[str, State]

FULL = 1 << 16
"""Steps after which every context is full."""
GRAPHED = ("graphed_encoder", "graphed_decoder", "graphed_tr_enc", "graphed_tr_dec")


class BatchState:
    def __init__(
        self, model: StreamingModule, mask: torch.Tensor, ring_for: Callable[[RingKVCache], RingKVCache] | None = None
    ) -> None:
        """Start streaming on the model, with all rows as before their first frame.

        `mask`: bool[rows], the rows that a step changes; shared by all modules, so it is set once and not 200 times.
        `ring_for` returns the ring for keys and values that replaces the package's.
        """
        count = len(mask)
        model.streaming_forever(count)
        self._model = model
        self._states: States = model.get_streaming_state()
        self._views: dict[int, States] = {}
        self._size = 0
        for state in self._all():
            state.exec_mask = mask
            if ring_for and (cache := getattr(state, "kv_cache", None)) is not None:
                state.kv_cache = ring_for(cache)
            for name in GRAPHED:
                if (graphed := getattr(state, name, None)) is not None:
                    graphed.disable = True  # the whole step is captured as one graph, or not at all
        self._collect_tensors(mask)

    def copy(self, source: int, target: int) -> None:
        """Copy the state of a row over another."""
        for tensor, dim in self._tensors:
            tensor.select(dim, target).copy_(tensor.select(dim, source))

    def rewind(self, row: int, steps: int) -> None:
        """Reset a transformer's row to its state after so many steps, because a later step was interrupted: what it
        wrote lies beyond the end of the ring that the counters give."""
        for tensor, _ in self._tensors:
            if tensor.dtype == torch.long:
                tensor[row] = steps

    def fill(self, size: int) -> None:
        """Make steps of the first `size` rows as expensive as they are when their contexts are full."""
        for tensor, dim in self._tensors:
            rows = tensor.narrow(dim, 0, size)
            if tensor.dtype == torch.long:
                rows.fill_(FULL)
            elif tensor.is_floating_point():
                rows.zero_()

    def shrink(self, count: int, mask: torch.Tensor) -> None:
        """Keep the first `count` rows, and free the memory of the others. `mask`: bool[count], as for `__init__`."""
        self._views.clear()
        self._tensors.clear()
        self._size = 0
        self._model.set_streaming_state(self._states)
        for state in self._all():
            state.batch_size = count
            for name, value in vars(state).items():
                if isinstance(value, torch.Tensor):
                    setattr(state, name, mask if name == "exec_mask" else _copy(value[:count]))
                elif isinstance(value, RingKVCache):
                    value.cache, value.end_offset = _copy(value.cache[:, :count]), _copy(value.end_offset[:count])
        self._collect_tensors(mask)

    def use(self, size: int) -> None:
        """Run the next steps on the first `size` rows."""
        if size == self._size:
            return
        if size not in self._views:
            self._views[size] = {name: _view(state, size) for name, state in self._states.items()}
        self._model.set_streaming_state(self._views[size])
        self._size = size

    def keep(self) -> None:
        """Copy replaced state back into the rows. Call this after each step: a convolution that pads by repeating
        replaces its state by a new tensor."""
        for name, view in self._views[self._size].items():
            first = getattr(view, "first", None)
            if first is not None and first.data_ptr() != self._states[name].first.data_ptr():
                view.first = self._states[name].first[: self._size]
                view.first.copy_(first)

    @property
    def bytes_per_row(self) -> int:
        return sum(tensor.nbytes // tensor.shape[dim] for tensor, dim in self._tensors)

    def _collect_tensors(self, mask: torch.Tensor) -> None:
        self._tensors = [pair for state in self._all() for pair in _tensors_of(state) if pair[0] is not mask]

    def _all(self) -> Iterator[Any]:
        return iter(self._states.values())


def _copy(rows: torch.Tensor) -> torch.Tensor:
    """A copy with memory of its own; a view would keep that of all rows."""
    return rows.clone(memory_format=torch.contiguous_format)


def _tensors_of(state: State) -> Iterator[tuple[torch.Tensor, int]]:
    for value in vars(state).values():
        if isinstance(value, torch.Tensor):
            yield value, 0
        elif isinstance(value, RingKVCache):
            yield value.cache, 1
            yield value.end_offset, 0


def _view(state: State, size: int) -> State:
    view = copy(state)
    view.batch_size = size
    for name, value in vars(state).items():
        if isinstance(value, torch.Tensor):
            setattr(view, name, value[:size])
        elif isinstance(value, RingKVCache):
            ring = copy(value)
            ring.cache, ring.end_offset = value.cache[:, :size], value.end_offset[:size]
            setattr(view, name, ring)
    return view
