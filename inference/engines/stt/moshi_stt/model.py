"""Mimi's encoder and the language model, stepped over all streams at once.

A step takes a frame of audio for some of the rows and gives the next text token of each. The language model sees the
first frame in its second step, since the input of its first are the initial tokens alone. That step, and the silence
that a stream begins with, are the same for every stream: they are taken once, in a row that is copied over whichever
row a stream gets. So beginning costs no step, and leaves nothing of whoever had the row before, not even a NaN.
(Kyutai's servers give the first step a frame of its own; the same tokens come out of them 80 ms later.)

Rows are kept dense: a step costs what the streams that are there cost, in sizes for which a CUDA graph exists.
"""

import logging
import time
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from moshi.models import LMModel, MimiModel
from torch import nn

from inference.engine import Frame
from inference.engines.stt.moshi_stt.batch_state import BatchState
from inference.engines.stt.moshi_stt.cpu_kernels import PrefixRing, quantise, search_by_product
from inference.messages import FRAME_SAMPLES

logger = logging.getLogger(__name__)

SIZES = (1, 2, 4, 8, 16, 32, 64, 96, 128, 192, 256, 384, 512, 640, 768, 896, 1024)
"""Numbers of rows for which there is a CUDA graph, up to the number of slots; each costs about what it steps."""
WARM_UP_STEPS = 3


@dataclass(frozen=True)
class StepResult:
    """What a step gives for one row."""

    token: int
    confidence: float
    """The probability of the token among those that write something: how sure which, not how sure when."""
    pauses: list[float]
    """Of each head: the probabilities that a pause of 0.5, 1, 2, 3 s has begun."""


class Model:
    """Used from one thread, always under `torch.no_grad`."""

    def __init__(
        self, mimi: MimiModel, lm: LMModel, slots: int, *, silence: int, temperature: float = 0.0, int8: bool = False
    ) -> None:
        """`silence`: frames heard before a stream begins."""
        if lm.dep_q or any(lm.delays):
            raise ValueError("the model makes audio, or delays it: it is not one that transcribes")
        self.slots = slots
        self.silence = silence
        self.step_seconds = 0.0  # of all slots, known once it is warm
        self.is_cuda = lm.device.type == "cuda"
        self._mimi, self._lm, self._device = mimi, lm, lm.device
        self._temperature = temperature
        self._free_decoder()
        with torch.no_grad():
            self._allocate(int8)
            if lm.device.type == "cpu":
                search_by_product(mimi)
            if int8:
                quantise(lm)

    def _free_decoder(self) -> None:
        """Half of Mimi makes sound of codes; it would keep a state for each stream, too."""
        self._mimi.decoder, self._mimi.decoder_transformer = nn.Identity(), None
        self._mimi.upsample = nn.Identity()

    def _allocate(self, int8: bool) -> None:
        count, device = self.slots + 1, self._device
        self._fresh = self.slots  # the last row
        self._mask = torch.zeros(count, dtype=torch.bool, device=device)
        ring_for = PrefixRing.like if device.type == "cpu" else None
        self._mimi_state = BatchState(self._mimi, self._mask, ring_for)
        # With weights in int8 all that is not a weight is float32.
        self._lm_state = BatchState(
            self._lm, self._mask, partial(PrefixRing.like, dtype=torch.float32) if int8 else ring_for
        )
        self._text = torch.full((count,), self._lm.text_initial_token_id, dtype=torch.long, device=device)
        self._steps = [0] * count  # that the language model has taken
        self._pcm = torch.zeros(count, 1, FRAME_SAMPLES, device=device)
        self._writes_nothing = torch.zeros(self._lm.text_card, device=device)
        self._writes_nothing[[self._lm.text_padding_token_id, self._lm.end_of_text_padding_id]] = -torch.inf
        self._result = torch.zeros(count, 2 + self.heads, device=device)
        self._pcm_here = torch.zeros(self._pcm.shape, pin_memory=self.is_cuda)
        self._mask_here = torch.zeros(count, dtype=torch.bool, pin_memory=self.is_cuda)
        self._result_here = torch.zeros(self._result.shape, pin_memory=self.is_cuda)
        self._graphs: dict[int, torch.cuda.CUDAGraph] = {}
        self._sizes = [*(size for size in SIZES if size < self.slots), self.slots] if self.is_cuda else []

    @property
    def heads(self) -> int:
        return len(self._lm.extra_heads)

    @property
    def bytes_per_row(self) -> int:
        return self._mimi_state.bytes_per_row + self._lm_state.bytes_per_row

    def begin(self, row: int) -> None:
        """Make a row what it is before its first frame."""
        self.move(self._fresh, row)

    def move(self, source: int, target: int) -> None:
        with torch.no_grad():
            self._mimi_state.copy(source, target)
            self._lm_state.copy(source, target)
            self._text[target] = self._text[source]
        self._steps[target] = self._steps[source]

    def recover(self, rows: Iterable[int]) -> None:
        """After a step of these rows that was broken off. The language model is where it was; Mimi, whose state cannot
        be taken back, begins afresh, which is heard in a few frames at the most."""
        with torch.no_grad():
            for row in rows:
                self._mimi_state.copy(self._fresh, row)
                self._lm_state.rewind(row, self._steps[row])

    def step(self, frames: Mapping[int, Frame], rows: int) -> dict[int, StepResult]:
        """Hear a frame in each row given, of the first `rows` that are in use.

        `frames`: float32[1920] each, anything in it. Raises torch's out of memory.
        """
        if not frames:
            return {}
        self._run(frames, self._size_for(rows))
        for row in frames:
            self._steps[row] += 1
        result = self._result_here[list(frames)].tolist()
        return {
            row: StepResult(int(values[0]), values[1], values[2:]) for row, values in zip(frames, result, strict=True)
        }

    def warm_up(self) -> None:
        """Take the steps that every stream begins with, and those of each size that the first stream should not wait
        for: kernels are chosen and graphs captured."""
        with torch.no_grad():
            self._make_fresh_row()
        for size in self._sizes or range(1, self.slots + 1):
            self.step_seconds = min(self._time_of(size) for _ in range(WARM_UP_STEPS))
            if self.is_cuda:
                self._capture(size)
        logger.info("a step of %d slots takes %.0f ms", self.slots, 1000 * self.step_seconds)

    def _time_of(self, size: int) -> float:
        began = time.perf_counter()
        self._run({}, size)
        return time.perf_counter() - began

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
            self._result_here[:size].copy_(self._result[:size])

    def _size_for(self, rows: int) -> int:
        return self._sizes[bisect_left(self._sizes, rows)] if self._sizes else rows

    def _load(self, frames: Mapping[int, Frame], size: int) -> None:
        self._mask_here[:size] = False
        if frames:
            rows = list(frames)
            pcm = np.nan_to_num(np.stack(list(frames.values())), nan=0.0, posinf=1.0, neginf=-1.0).clip(-1, 1)
            self._pcm_here[rows, 0] = torch.from_numpy(pcm)
            self._mask_here[rows] = True
        self._pcm[:size].copy_(self._pcm_here[:size], non_blocking=True)
        self._mask[:size].copy_(self._mask_here[:size], non_blocking=True)

    def _compute(self, size: int) -> None:
        """From the buffers to the buffers, and nothing that waits for the device: it is captured."""
        codes = self._mimi.encode(self._pcm[:size])  # [B, K, 1]
        self._mimi_state.keep()
        self._decode(codes, size)

    def _decode(self, codes: torch.Tensor, size: int) -> None:
        text, mask = self._text[:size], self._mask[:size]
        hidden, logits = self._lm.forward_text(torch.cat((text[:, None, None], codes), dim=1))
        logits = logits[:, 0, 0].float()  # [B, vocabulary]
        tokens = self._choose(logits)
        text.copy_(torch.where(mask, tokens, text))
        confidences = (logits + self._writes_nothing).softmax(-1).gather(1, tokens[:, None])
        pauses = [head(hidden)[:, 0].float().softmax(-1)[:, :1] for head in self._lm.extra_heads]
        self._result[:size] = torch.cat((tokens[:, None].float(), confidences, *pauses), dim=1)

    def _choose(self, logits: torch.Tensor) -> torch.Tensor:
        if self._temperature <= 0:
            return logits.argmax(-1)
        chances = (logits / self._temperature).softmax(-1)
        return (chances / torch.empty_like(chances).exponential_()).argmax(-1)

    # --- Before the first -----------------------------------------------------------------------------------------

    def _make_fresh_row(self) -> None:
        row = 0
        self._lm_state.use(1)
        self._mask[row] = True
        self._decode(self._lm._get_initial_token()[:, 1:], size=1)
        self._steps[row] = 1
        for _ in range(self.silence):
            self.step({row: np.zeros(FRAME_SAMPLES, np.float32)}, 1)
        self.move(row, self._fresh)

    def _capture(self, size: int) -> None:
        """Have the steps of this size run as one CUDA graph. Where that fails they run one kernel after another."""
        graph = torch.cuda.CUDAGraph()
        pool = next(iter(self._graphs.values())).pool() if self._graphs else None
        try:
            with torch.no_grad(), torch.cuda.graph(graph, pool=pool):
                self._compute(size)
        except torch.OutOfMemoryError:
            raise
        except RuntimeError as error:
            logger.warning("no CUDA graph for %d slots, steps of this size are slower: %s", size, error)
            return
        self._graphs[size] = graph
