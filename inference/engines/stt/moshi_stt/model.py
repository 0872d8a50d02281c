"""Mimi's encoder and the language model, stepped over all streams at once.

A step takes a frame of audio for some of the rows and returns the next text token of each. The language model gets the
first frame in its second step, because the input of its first step is the initial tokens alone. That step, and the
silence that a stream begins with, are the same for every stream: they run once, in a row that is copied over the row
that a stream gets. So opening a stream costs no step, and nothing of the row's previous stream remains, not even a NaN.
(Kyutai's servers use up a frame in the first step; they produce the same tokens 80 ms later.)

Rows are kept dense: a step costs as much as the open streams, rounded up to a size for which a CUDA graph exists.
"""

import logging
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from moshi.models import LMModel, MimiModel
from torch import nn

from inference.engine import Frame
from inference.engines.stt.moshi_stt.batch_state import BatchState
from inference.engines.stt.moshi_stt.cpu_kernels import PrefixRing, search_by_product
from inference.loading.quantization import quantize
from inference.loading.step_time import find_slots, median_seconds
from inference.messages import FRAME_SAMPLES

logger = logging.getLogger(__name__)

SIZES = (1, 2, 4, 8, 16, 32, 64, 96, 128, 192, 256, 384, 512, 640, 768, 896, 1024)
"""Numbers of rows with a CUDA graph, up to the number of slots; the cost of a step is about proportional to them."""
WARM_UP_STEPS = 2


@dataclass(frozen=True)
class StepResult:
    """Result of a step for one row."""

    token: int
    confidence: float
    """Probability of the token among those that write text: how sure the model is which token, not when."""
    pauses: list[float]
    """Probability of each head that a pause of 0.5, 1, 2, 3 s has begun."""


class Model:
    """Both networks and their state. Use it from one thread, always under `torch.no_grad`."""

    def __init__(
        self, mimi: MimiModel, lm: LMModel, slots: int, *, silence: int, temperature: float = 0.0, int8: bool = False
    ) -> None:
        """`silence`: frames of silence before each stream. With `int8` the language model, which may have been loaded
        on another device, is quantized on Mimi's."""
        if lm.dep_q or any(lm.delays):
            raise ValueError("the model generates or delays audio")
        if lm.condition_provider is not None and lm.condition_provider.conditioners:
            names = ", ".join(lm.condition_provider.conditioners)
            raise ValueError(f"the model requires conditions that this engine doesn't give it: {names}")
        self.slots = slots
        self.silence = silence
        self.step_seconds = 0.0  # with all slots and full contexts, known after the warm-up
        self._mimi, self._lm, self._device = mimi, lm, next(mimi.parameters()).device
        self.is_cuda = self._device.type == "cuda"
        self._temperature = temperature
        self._free_decoder()
        with torch.no_grad():
            if int8:
                quantize(lm, self._device)
            self._allocate_buffers()
            self._allocate_states()
            if self._device.type == "cpu":
                search_by_product(mimi)

    def _free_decoder(self) -> None:
        """Drop the decoder half of Mimi, which would keep state for each stream."""
        self._mimi.decoder, self._mimi.decoder_transformer = nn.Identity(), None
        self._mimi.upsample = nn.Identity()

    def _allocate_buffers(self) -> None:
        count, device = self.slots + 1, self._device
        self._fresh = self.slots  # the last row, never stepped
        self._mask = torch.zeros(count, dtype=torch.bool, device=device)
        self._text = torch.full((count,), self._lm.text_initial_token_id, dtype=torch.long, device=device)
        self._steps = [0] * count  # of the language model, by row
        self._pcm = torch.zeros(count, 1, FRAME_SAMPLES, device=device)
        self._non_text_mask = torch.zeros(self._lm.text_card, device=device)
        self._non_text_mask[[self._lm.text_padding_token_id, self._lm.end_of_text_padding_id]] = -torch.inf
        self._result = torch.zeros(count, 2 + self.heads, device=device)
        self._pcm_host = torch.zeros(self._pcm.shape, pin_memory=self.is_cuda)
        self._mask_host = torch.zeros(count, dtype=torch.bool, pin_memory=self.is_cuda)
        self._result_host = torch.zeros(self._result.shape, pin_memory=self.is_cuda)
        self._graphs: dict[int, torch.cuda.CUDAGraph] = {}
        self._sizes = [*(size for size in SIZES if size < self.slots), self.slots] if self.is_cuda else []

    def _allocate_states(self) -> None:
        ring_for = PrefixRing.like if self._device.type == "cpu" else None
        self._mimi_state = BatchState(self._mimi, self._mask, ring_for)
        self._lm_state = BatchState(self._lm, self._mask, ring_for)

    @property
    def heads(self) -> int:
        return len(self._lm.extra_heads)

    @property
    def bytes_per_row(self) -> int:
        return self._mimi_state.bytes_per_row + self._lm_state.bytes_per_row

    def reset_row(self, row: int) -> None:
        """Reset a row to its state before its first frame."""
        self.move(self._fresh, row)

    def used_context(self, row: int) -> float:
        """Share of the language model's context that the row's steps fill; above 1, the first ones are forgotten."""
        return self._steps[row] / self._lm.context if self._lm.context else 0.0

    def move(self, source: int, target: int) -> None:
        with torch.no_grad():
            self._mimi_state.copy(source, target)
            self._lm_state.copy(source, target)
            self._text[target] = self._text[source]
        self._steps[target] = self._steps[source]

    def recover(self, rows: Iterable[int]) -> None:
        """Restore these rows after an interrupted step. The language model is rewound; Mimi, whose state cannot be, is
        reset, which affects a few frames at most."""
        with torch.no_grad():
            for row in rows:
                self._mimi_state.copy(self._fresh, row)
                self._lm_state.rewind(row, self._steps[row])

    def step(self, frames: Mapping[int, Frame], rows: int) -> dict[int, StepResult]:
        """Process a frame in each row given, of the first `rows` that are in use.

        `frames`: float32[1920] each, with any values. Raises `torch.OutOfMemoryError`.
        """
        if not frames:
            return {}
        self._run(frames, self._size_for(rows))
        for row in frames:
            self._steps[row] += 1
        result = self._result_host[list(frames)].tolist()
        return {
            row: StepResult(int(values[0]), values[1], values[2:]) for row, values in zip(frames, result, strict=True)
        }

    def keep_real_time_slots(self) -> None:
        """Before the warm-up: measure steps, keep only the slots that leave a reserve in real time, and free the memory
        of the others."""
        slots = find_slots(self._measure_step, self.slots)
        if slots < self.slots:
            self._shrink(slots)

    def warm_up(self) -> None:
        """Run the steps that every stream begins with, and steps of each size, so that no stream waits for the
        selection of kernels and the capture of graphs."""
        with torch.no_grad():
            self._prepare_fresh_row()
        for size in self._sizes or range(1, self.slots + 1):
            self._prepare_step(size)
        self.step_seconds = self._measure_step(self.slots)
        logger.info("a step of %d slots takes %.0f ms", self.slots, 1000 * self.step_seconds)

    # --- One step -------------------------------------------------------------------------------------------------

    def _run(self, frames: Mapping[int, Frame], size: int) -> None:
        self._load(frames, size)
        with torch.no_grad():
            self._mimi_state.use(size)
            self._lm_state.use(size)
            if graph := self._graphs.get(size):
                graph.replay()
            else:
                self._compute(size)
            self._result_host[:size].copy_(self._result[:size])

    def _size_for(self, rows: int) -> int:
        return self._sizes[bisect_left(self._sizes, rows)] if self._sizes else rows

    def _load(self, frames: Mapping[int, Frame], size: int) -> None:
        self._mask_host[:size] = False
        if frames:
            rows = list(frames)
            pcm = np.nan_to_num(np.stack(list(frames.values())), nan=0.0, posinf=1.0, neginf=-1.0).clip(-1, 1)
            self._pcm_host[rows, 0] = torch.from_numpy(pcm)
            self._mask_host[rows] = True
        self._pcm[:size].copy_(self._pcm_host[:size], non_blocking=True)
        self._mask[:size].copy_(self._mask_host[:size], non_blocking=True)

    def _compute(self, size: int) -> None:
        """Compute a step from buffer to buffer, without waiting for the device, so that it can be captured."""
        codes = self._mimi.encode(self._pcm[:size])  # [B, K, 1]
        self._mimi_state.keep()
        self._decode(codes, size)

    def _decode(self, codes: torch.Tensor, size: int) -> None:
        text, mask = self._text[:size], self._mask[:size]
        hidden, logits = self._lm.forward_text(torch.cat((text[:, None, None], codes), dim=1))
        logits = logits[:, 0, 0].float()  # [B, vocabulary]
        tokens = self._sample(logits)
        text.copy_(torch.where(mask, tokens, text))
        confidences = (logits + self._non_text_mask).softmax(-1).gather(1, tokens[:, None])
        pauses = [head(hidden)[:, 0].float().softmax(-1)[:, :1] for head in self._lm.extra_heads]
        self._result[:size] = torch.cat((tokens[:, None].float(), confidences, *pauses), dim=1)

    def _sample(self, logits: torch.Tensor) -> torch.Tensor:
        if self._temperature <= 0:
            return logits.argmax(-1)
        probabilities = (logits / self._temperature).softmax(-1)
        return (probabilities / torch.empty_like(probabilities).exponential_()).argmax(-1)

    # --- Warm-up --------------------------------------------------------------------------------------------------

    def _prepare_fresh_row(self) -> None:
        row = 0
        self.move(self._fresh, row)  # measurements may have used it
        self._lm_state.use(1)
        self._mask[row] = True
        self._decode(self._lm._get_initial_token()[:, 1:], size=1)
        self._steps[row] = 1
        for _ in range(self.silence):
            self.step({row: np.zeros(FRAME_SAMPLES, np.float32)}, 1)
        self.move(row, self._fresh)

    def _prepare_step(self, size: int) -> None:
        for _ in range(WARM_UP_STEPS):
            self._run({}, size)
        if self.is_cuda and size not in self._graphs:
            self._capture(size)

    def _measure_step(self, size: int) -> float:
        """Seconds of a step of this size. Rows in use must be reset afterwards."""
        if self._device.type == "cpu":
            # Attention reads only what is filled, and memory that was never written costs nothing to read.
            self._mimi_state.fill(size)
            self._lm_state.fill(size)
        self._prepare_step(size)
        return median_seconds(lambda: self._run({}, size))

    def _shrink(self, slots: int) -> None:
        self._graphs.clear()  # they use the buffers that are replaced
        self.move(self._fresh, slots)
        self.slots = slots
        self._allocate_buffers()
        for state in (self._mimi_state, self._lm_state):
            state.shrink(slots + 1, self._mask)
        if self.is_cuda:
            torch.cuda.empty_cache()

    def _capture(self, size: int) -> None:
        """Capture the steps of this size as one CUDA graph. If that fails, they run one kernel after another."""
        graph = torch.cuda.CUDAGraph()
        pool = next(iter(self._graphs.values())).pool() if self._graphs else None
        try:
            with torch.no_grad(), torch.cuda.graph(graph, pool=pool):
                self._compute(size)
        except torch.OutOfMemoryError:
            raise
        except RuntimeError as error:
            logger.warning(
                "could not capture a CUDA graph for %d slots; steps of this size are slower: %s",
                size,
                error,
                extra={"error_class": "performance"},
            )
            return
        self._graphs[size] = graph
