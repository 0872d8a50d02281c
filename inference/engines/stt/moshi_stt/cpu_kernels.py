"""What makes the models run in real time on a CPU: int8 weights, a cache that reads only what is in it, and codebooks
that are searched by one product. `benchmarks/stt_engine.py` measures them beside the package's own.
"""

from typing import Self

import torch
from moshi.models import LMModel, MimiModel
from moshi.modules.transformer import KVCacheResult, RingKVCache
from moshi.quantization.core_vq import EuclideanCodebook
from torch import nn
from torch.nn import functional as F


class PrefixRing(RingKVCache):
    """A ring of keys and values that gives out the part that is filled.

    The package's writes by `scatter_`, which copies the whole ring to float32 and back where it is bfloat16, and has
    the attention go over the whole ring even of a stream that just began.
    """

    @classmethod
    def like(cls, ring: RingKVCache, dtype: torch.dtype | None = None) -> Self:
        _, batch_size, heads, capacity, dim = ring.cache.shape
        return cls(batch_size, heads, dim, capacity, device=ring.cache.device, dtype=dtype or ring.cache.dtype)

    def complete(self, k: torch.Tensor, v: torch.Tensor, exec_mask: torch.Tensor) -> KVCacheResult:
        """`k`, `v`: [B, H, T, D], of the ring's dtype; `exec_mask`: bool[B], the rows that keep them."""
        batch, _, steps, _ = k.shape
        begin = self.end_offset.view(-1, 1)
        rows = torch.arange(batch).view(-1, 1)
        places = (begin + torch.arange(steps)) % self.capacity  # [B, T]
        self.cache[0][rows, :, places] = k.transpose(1, 2)
        self.cache[1][rows, :, places] = v.transpose(1, 2)
        filled = min(self.capacity, int(self.end_offset.max()) + steps)
        index = torch.arange(filled)
        newest = begin + steps - 1
        behind = index - newest % self.capacity
        positions = newest + behind - torch.where(behind > 0, self.capacity, 0)
        self.end_offset += steps * exec_mask
        positions.masked_fill_(index >= self.end_offset.view(-1, 1), -1)
        return KVCacheResult(self.cache[0, :, :, :filled], self.cache[1, :, :, :filled], positions)


class Nearest:
    """The nearest vector of a codebook: the one with the largest `x·c - |c|²/2`. The package takes all distances, and
    the squares of all codebooks anew with every frame, which is a third of what Mimi takes."""

    def __init__(self, codebook: EuclideanCodebook) -> None:
        self._vectors = codebook.embedding
        self._lead = -self._vectors.square().sum(-1) / 2

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """`x`: float32[N, D]; the codes, int64[N]."""
        return F.linear(x, self._vectors, self._lead).argmax(-1)


def search_by_product(mimi: MimiModel) -> None:
    for module in mimi.quantizer.modules():
        if isinstance(module, EuclideanCodebook):
            module._quantize = Nearest(module)


class Int8Linear(nn.Module):
    """A linear layer with weights in int8, scaled for each output, and inputs that are quantised as they come.

    Each row of the inputs has a scale of its own. With torch's dynamic layer, which has one for all, what a stream
    gives would depend on the streams beside it.
    """

    # The inputs get seven bits: two products of eight may overflow the sum on processors without VNNI.
    _SCALE, _ZERO = 1 / 63, 64

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__()
        weight = linear.weight.detach().float()
        scales = (weight.abs().amax(dim=1) / 127).clamp_min(1e-8).double()
        zeros = torch.zeros(len(scales), dtype=torch.long)
        quantised = torch.quantize_per_channel(weight, scales, zeros, axis=0, dtype=torch.qint8)
        bias = None if linear.bias is None else linear.bias.detach().float()
        self._packed = torch.ops.quantized.linear_prepack(quantised, bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        largest = x.abs().amax(-1, keepdim=True).clamp_min(1e-9)
        y = torch.ops.quantized.linear_with_input_q_dq_qweight_dq_output_fp32(
            x / largest, self._SCALE, self._ZERO, self._packed
        )
        return y * largest


def quantise(lm: LMModel) -> None:
    """Give the transformer and the text's head int8 weights, and everything else float32; a layer at a time, since both
    at once would need three times the memory."""
    for layer in lm.transformer.layers:
        _quantise_linears(layer)
    lm.text_linear = Int8Linear(lm.text_linear)
    lm.float()


def _quantise_linears(module: nn.Module) -> None:
    for name, child in module.named_children():
        if isinstance(child, nn.Linear):
            setattr(module, name, Int8Linear(child))
        else:
            _quantise_linears(child)
