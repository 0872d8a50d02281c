"""int8 weights for moshi's language models, on a CPU or a CUDA GPU.

Weights have a scale per output. Inputs are quantized in every step, with a scale per row: a stream's output does not
depend on the other streams in the batch. Embeddings, norms, pause-prediction heads and the input projection of
cross-attention, whose weight moshi itself slices, stay as they are.

On a GPU the product is `torch._int_mm`, which torchao uses too and which takes no other package. It should run in CUDA
graphs; neither that nor its speed has been tried on a GPU. bitsandbytes, which moshi uses for `quantize`, computes in
float16, whose range is smaller than that of the weights' bfloat16; `torch._weight_int8pack_mm` reads the weights again
for every row. On a CPU FBGEMM's product is faster, where there is one.
"""

from collections.abc import Callable

import torch
from moshi.models import LMModel
from moshi.modules.transformer import StreamingMultiheadAttention
from torch import nn
from torch.nn import functional as F

MULTIPLE = 8
"""Layers whose numbers of inputs and outputs are multiples of it are quantized: a condition of `torch._int_mm` on CUDA.
It holds for all of the released models."""
MIN_ROWS = 32
"""Rows of a product: `torch._int_mm` on CUDA rejects 16 or fewer."""

Product = Callable[[torch.Tensor], torch.Tensor]
"""float32[N, inputs] to float32[N, outputs]."""
Prepare = Callable[[torch.Tensor], Product]
"""Quantizes the weight of a layer, float32[outputs, inputs], on the device on which it will be multiplied."""


class TorchProduct:
    """The product that runs on CUDA: eight bits for weights and inputs."""

    def __init__(self, weight: torch.Tensor) -> None:
        scales = _scales(weight, 127)
        self._weight = (weight / scales).round().to(torch.int8).t()
        self._scales = scales.t()

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        scales = _scales(x, 127)
        quantized = (x / scales).round().to(torch.int8)
        missing = max(0, MIN_ROWS - len(x))
        product = torch._int_mm(F.pad(quantized, (0, 0, 0, missing)), self._weight)[: len(x)]
        return product * scales * self._scales


class FbgemmProduct:
    """The product that runs on a CPU."""

    # Inputs have seven bits: the sum of two products of eight may overflow on processors without VNNI.
    _LEVELS, _ZERO = 63, 64

    def __init__(self, weight: torch.Tensor) -> None:
        scales = _scales(weight, 127)[:, 0].double()
        zeros = torch.zeros(len(scales), dtype=torch.long)
        quantized = torch.quantize_per_channel(weight, scales, zeros, axis=0, dtype=torch.qint8)
        self._packed = torch.ops.quantized.linear_prepack(quantized, None)

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        scales = _scales(x, self._LEVELS)
        y = torch.ops.quantized.linear_with_input_q_dq_qweight_dq_output_fp32(x / scales, 1.0, self._ZERO, self._packed)
        return y * scales


def _scales(rows: torch.Tensor, levels: int) -> torch.Tensor:
    """The scale of each row with which its values are at most `levels`: [N, columns] to [N, 1]."""
    return (rows.abs().amax(-1, keepdim=True) / levels).clamp_min(1e-11)


class Int8Linear(nn.Module):
    """A linear layer with int8 weights, for inputs of any floating dtype."""

    def __init__(self, linear: nn.Linear, device: torch.device, prepare: Prepare) -> None:
        nn.Module.__init__(self)
        self.out_features, self.in_features = linear.weight.shape
        self._product = prepare(linear.weight.detach().to(device).float())
        self.bias = linear.bias

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self._product(x.reshape(-1, x.shape[-1]).float())
        y = y if self.bias is None else y + self.bias
        return y.to(x.dtype).reshape(*x.shape[:-1], -1)


class Int8Projection(Int8Linear, nn.Linear):
    """The input projection of an attention: moshi takes device and dtype of the keys and values from its weight."""

    def __init__(self, linear: nn.Linear, device: torch.device, prepare: Prepare) -> None:
        super().__init__(linear, device, prepare)
        self.weight = nn.Parameter(linear.weight.new_empty(0), requires_grad=False)


def quantize(lm: LMModel, device: torch.device, prepare: Prepare | None = None) -> None:
    """Quantize the model layer by layer, and move it to the device.

    Everything else keeps its dtype, but becomes float32 on a CPU. `prepare` selects the product; only tests need it.
    Start streaming afterwards: the keys and values get the dtype of everything else.
    """
    has_fbgemm = device.type == "cpu" and "fbgemm" in torch.backends.quantized.supported_engines
    prepare = prepare or (FbgemmProduct if has_fbgemm else TorchProduct)

    def replace(parent: nn.Module, name: str, layer: type[Int8Linear] = Int8Linear) -> None:
        linear = getattr(parent, name)
        if isinstance(linear, nn.Linear) and all(size % MULTIPLE == 0 for size in linear.weight.shape):
            setattr(parent, name, layer(linear, device, prepare))

    def replace_in(module: nn.Module) -> None:
        for name, child in module.named_children():
            if isinstance(child, StreamingMultiheadAttention):
                for index in range(0 if child.cross_attention else len(child.in_projs)):
                    replace(child.in_projs, str(index), Int8Projection)
                replace_in(child.out_projs)
            else:
                replace(module, name)
                replace_in(child)

    for part in (lm.transformer, lm.depformer, lm.depformer_in, lm.linears):
        if part is not None:
            replace_in(part)
    replace(lm, "text_linear")
    lm.to(device)
    if device.type == "cpu":
        lm.float()
    elif device.type == "cuda":
        torch.cuda.empty_cache()  # the unquantized weights; streams need their memory
