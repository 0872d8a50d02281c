"""Sampling for a batch in which every slot has its own seed and temperature.

The moshi package draws for the whole batch from torch's global generator, so a stream's output would depend on the
other slots. Here each slot draws from its own generator, in the order and sizes in which the package draws for a single
stream: on the CPU a seed gives the same result as `torch.manual_seed` and the package's own loop.
"""

import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from moshi.models import lm as moshi_lm

TOP_K, TOP_K_TEXT = 250, 25
"""Number of likeliest tokens to sample from; the package's defaults."""


class SlotSampler:
    """Samples a token of each slot by dividing probabilities by exponential noise, which is drawn before the step.

    Nothing is drawn during the step, so it may be a CUDA graph.
    """

    def __init__(self, slots: int, codebooks: int, card: int, text_card: int, device: torch.device) -> None:
        self._kept = [min(TOP_K_TEXT, text_card)] + [min(TOP_K, card)] * codebooks
        shape = (1 + codebooks, slots, max(self._kept))
        pinned = device.type == "cuda"
        self._drawn = torch.ones(shape, pin_memory=pinned)
        self._noise = torch.ones(shape, device=device)
        self._generators = [torch.Generator() for _ in range(slots)]
        self._temperatures = [0.0] * slots
        self._temperature = torch.ones(slots, 1, 1, 1, device=device)
        self._is_greedy = torch.ones(slots, 1, 1, dtype=torch.bool, device=device)
        self._call = 0
        self._drawn_for: set[int] = set()
        """Slots whose noise is drawn, but not used: their step was interrupted."""

    def reset(self, slot: int, seed: int, temperature: float) -> None:
        """A temperature of 0 always selects the likeliest token."""
        self._drawn_for.discard(slot)
        self._generators[slot].manual_seed(seed)
        self._temperatures[slot] = temperature
        self._temperature[slot] = temperature or 1.0
        self._is_greedy[slot] = temperature == 0

    @contextmanager
    def drawing(self, slots: Collection[int], speaking: Collection[int]) -> Iterator[None]:
        """One step of the package's `LMGen` for these slots; the audio of slots that are not `speaking` is unused.

        If the block raises, the next step of a slot repeats this one and gets the same noise.
        """
        self._draw(slots, speaking)
        self._call = 0
        _active.sampler = self
        try:
            yield
        finally:
            _active.sampler = None
        self._drawn_for.difference_update(slots)

    def _draw(self, slots: Collection[int], speaking: Collection[int]) -> None:
        for slot in slots:
            if self._temperatures[slot] > 0 and slot not in self._drawn_for:
                calls = len(self._kept) if slot in speaking else 1
                for call in range(calls):
                    self._drawn[call, slot, : self._kept[call]].exponential_(generator=self._generators[slot])
                self._drawn_for.add(slot)
        self._noise.copy_(self._drawn, non_blocking=True)

    def sample(self, logits: torch.Tensor) -> torch.Tensor:
        """float32[slots, 1, 1, card] to int64[slots, 1, 1]."""
        call, self._call = self._call, self._call + 1
        kept = self._kept[call]
        probabilities, tokens = torch.softmax(logits / self._temperature, dim=-1).topk(kept, dim=-1)
        noise = self._noise[call, :, None, None, :kept]
        sampled = tokens.gather(-1, (probabilities / noise).argmax(dim=-1, keepdim=True))[..., 0]
        return torch.where(self._is_greedy, logits.argmax(dim=-1), sampled)


_active = threading.local()  # other threads may use the package too
_sample_token = moshi_lm.sample_token


def _sample_with_active(logits: torch.Tensor, *arguments: Any, **options: Any) -> torch.Tensor:
    """Replacement for the package's `sample_token`, which has no notion of slots."""
    sampler: SlotSampler | None = getattr(_active, "sampler", None)
    return sampler.sample(logits) if sampler else _sample_token(logits, *arguments, **options)


moshi_lm.sample_token = _sample_with_active
