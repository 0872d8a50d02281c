"""Comparison of an engine's batch with the moshi package's model alone, step by step on the same input."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from unittest import mock

import torch
from moshi.models import LMModel
from moshi.utils.compile import no_cuda_graph

BOUNDS = {"bfloat16": 0.1, "int8": 0.25}
"""Largest deviation of the text logits from the package's in bfloat16: the root mean square of the difference, divided
by the standard deviation of the logits. On a CPU it is 0.014 and 0.071 for the STT 1B at full size, and 0.011 for the
TTS in bfloat16; a wrong mask, position or voice makes it about 1."""


@dataclass
class Recording:
    """Inputs int64[rows, codebooks, 1] and text logits float32[rows, vocabulary] of consecutive steps of all rows."""

    inputs: list[torch.Tensor] = field(default_factory=list)
    logits: list[torch.Tensor] = field(default_factory=list)

    def clear(self) -> None:
        self.inputs.clear()
        self.logits.clear()


@contextmanager
def recording() -> Iterator[Recording]:
    """Record all steps of language models that are loaded and run in the block, one kernel after another: in a CUDA
    graph nothing can be recorded."""
    found = Recording()
    forward_text = LMModel.forward_text

    def record(lm: LMModel, sequence: torch.Tensor, *conditions: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        hidden, logits = forward_text(lm, sequence, *conditions)
        if sequence.device.type != "cuda" or not torch.cuda.is_current_stream_capturing():
            found.inputs.append(sequence.clone())
            found.logits.append(logits[:, 0, 0].float())
        return hidden, logits

    with mock.patch.object(LMModel, "forward_text", record), no_cuda_graph():
        yield found


Conditions = tuple[torch.Tensor, ...]
"""Arguments of `forward_text` after the input."""


@torch.no_grad()
def deviation(
    found: Recording, lm: LMModel, first: torch.Tensor | None = None, conditions: Conditions = ()
) -> tuple[float, float]:
    """Deviation of the recorded logits from those of the package's `lm` with each row's stream alone, and the share of
    steps in which both have the same likeliest token.

    `first`: input of a step that was not recorded, int64[1, codebooks, 1]; `conditions`: of each step.
    """
    expected = []
    for row in range(len(found.inputs[0])):
        with no_cuda_graph(), lm.streaming(1):
            if first is not None:
                lm.forward_text(first, *conditions)
            steps = [lm.forward_text(given[row : row + 1], *conditions)[1][0, 0].float() for given in found.inputs]
        expected.append(torch.cat(steps))
    reference, logits = torch.stack(expected, dim=1), torch.stack(found.logits)  # [steps, rows, vocabulary]
    same = (reference.argmax(-1) == logits.argmax(-1)).float().mean()
    return float((reference - logits).square().mean().sqrt() / reference.std()), float(same)


@contextmanager
def exact_float32() -> Iterator[None]:
    """Compute float32 in full: by default convolutions use 10 bits of the mantissa on a GPU."""
    torch.backends.cudnn.allow_tf32 = False
    try:
        yield
    finally:
        torch.backends.cudnn.allow_tf32 = True


def agree(found: Sequence[Sequence[object]], expected: Sequence[Sequence[object]], *, is_exact: bool) -> bool:
    """Whether each stream has all its expected tokens, or at least those of its first quarter: on a GPU the last bits
    of a product depend on the size of the batch, and sooner or later two tokens are equally likely. What follows the
    expected tokens, such as frames after the last word, isn't compared."""
    share = 1 if is_exact else 0.25
    return all(equal_steps(a, b) >= share * len(b) for a, b in zip(found, expected, strict=True))


def equal_steps(found: Sequence[object], expected: Sequence[object]) -> int:
    """Number of steps before the first difference."""
    pairs = zip(found, expected, strict=False)
    return next((step for step, (a, b) in enumerate(pairs) if a != b), min(len(found), len(expected)))
