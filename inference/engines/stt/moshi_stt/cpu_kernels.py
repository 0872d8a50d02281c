"""Kernels that, with int8 weights, make the models run in real time on a CPU: a key-value cache that reads only its
filled part, and codebook search by one matrix product. `benchmarks/stt_engine.py` compares them with the package's own.
"""

from typing import Self

import torch
from moshi.models import MimiModel
from moshi.modules.transformer import KVCacheResult, RingKVCache
from moshi.quantization.core_vq import EuclideanCodebook
from torch.nn import functional as F


class PrefixRing(RingKVCache):
    """A ring of keys and values that returns only its filled part.

    The package's ring writes by `scatter_`, which copies a whole bfloat16 ring to float32 and back, and attention reads
    the whole ring even for a stream that just began.
    """

    @classmethod
    def like(cls, ring: RingKVCache) -> Self:
        _, batch_size, heads, capacity, dim = ring.cache.shape
        return cls(batch_size, heads, dim, capacity, device=ring.cache.device, dtype=ring.cache.dtype)

    def complete(self, k: torch.Tensor, v: torch.Tensor, exec_mask: torch.Tensor) -> KVCacheResult:
        """Append `k`, `v`: [B, H, T, D], of the ring's dtype. `exec_mask`: bool[B], the rows that keep them."""
        batch, _, steps, _ = k.shape
        start = self.end_offset.view(-1, 1)
        rows = torch.arange(batch).view(-1, 1)
        offsets = (start + torch.arange(steps)) % self.capacity  # [B, T]
        self.cache[0][rows, :, offsets] = k.transpose(1, 2)
        self.cache[1][rows, :, offsets] = v.transpose(1, 2)
        filled = min(self.capacity, int(self.end_offset.max()) + steps)
        index = torch.arange(filled)
        newest = start + steps - 1
        behind = index - newest % self.capacity
        positions = newest + behind - torch.where(behind > 0, self.capacity, 0)
        self.end_offset += steps * exec_mask
        positions.masked_fill_(index >= self.end_offset.view(-1, 1), -1)
        return KVCacheResult(self.cache[0, :, :, :filled], self.cache[1, :, :, :filled], positions)


class Nearest:
    """Search for the nearest vector of a codebook: the one with the largest `x·c - |c|²/2`. The package computes all
    distances, and the squares of all codebooks again for every frame, which is a third of Mimi's time."""

    def __init__(self, codebook: EuclideanCodebook) -> None:
        self._vectors = codebook.embedding
        self._offsets = -self._vectors.square().sum(-1) / 2

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """Return the codes, int64[N], of `x`: float32[N, D]."""
        return F.linear(x, self._vectors, self._offsets).argmax(-1)


def search_by_product(mimi: MimiModel) -> None:
    for module in mimi.quantizer.modules():
        if isinstance(module, EuclideanCodebook):
            module._quantize = Nearest(module)
