"""Moshi, with the package's own loop: steps by number of streams, with and without CUDA graphs.

There is no engine for it yet; `Loop` is the part that one will replace.
"""

from contextlib import ExitStack, nullcontext
from functools import partial
from typing import Any

import torch
from moshi.models import LMGen, LMModel, MimiModel
from moshi.utils.compile import no_cuda_graph

from benchmarks.gpu_check.check import Check
from benchmarks.gpu_check.measure import REAL_TIME_MS, memory_mb, p50, p99, quantiles, step_times
from benchmarks.gpu_check.parity import equal_steps
from benchmarks.gpu_check.report import duration
from inference.messages import FRAME_SAMPLES

STREAMS = (1, 4, 8, 16, 32, 48)
STEPS, SMALL_STEPS = 100, 2
GRAPH_STEPS = 16


class Loop:
    """Full-duplex dialogue of several streams: a step takes a frame of audio of each, and returns one of each."""

    def __init__(self, mimi: MimiModel, lm: LMModel, streams: int, *, is_greedy: bool = False) -> None:
        self._mimi = mimi
        self._gen = LMGen(lm, use_sampling=not is_greedy, support_out_of_sync=True)
        self._streaming = ExitStack()
        self._streaming.enter_context(mimi.streaming(streams))
        self._streaming.enter_context(self._gen.streaming(streams))
        generator = torch.Generator().manual_seed(0)
        self._pcm = (torch.randn(streams, 1, FRAME_SAMPLES, generator=generator) / 8).to(lm.device)

    @torch.no_grad()
    def step(self) -> list[list[int]]:
        """Return the tokens of each stream, after its audio was decoded."""
        tokens: Any = self._gen.step(self._mimi.encode(self._pcm))
        self._mimi.decode(tokens[:, 1:].clamp(min=0)).cpu()
        return tokens[:, :, 0].tolist()

    def close(self) -> None:
        self._streaming.close()


def run(check: Check) -> None:
    models: list[tuple[MimiModel, LMModel]] = []
    if not check.part("load", partial(_load, check, models)):
        return
    mimi, lm = models.pop()
    check.part("CUDA graphs", partial(_compare_graphs, check, mimi, lm))
    durations: dict[int, float] = {}
    for streams in (1, 2) if check.small else STREAMS:
        check.part(f"{streams} streams", partial(_measure, check, mimi, lm, streams, durations))
    carried = max((count for count, p99_ms in durations.items() if p99_ms <= REAL_TIME_MS), default=0)
    check.report.row(f"most streams with a p99 under {REAL_TIME_MS:.0f} ms", f"{carried}, of the numbers measured")


def _load(check: Check, models: list[tuple[MimiModel, LMModel]]) -> None:
    before, loading = memory_mb(check.device), []
    with duration(loading):
        models.append(check.checkpoints.dialogue())
    check.report.row("load", f"{loading[0]:.1f} s, without reading files; {memory_mb(check.device) - before:,.0f} MB")


def _compare_graphs(check: Check, mimi: MimiModel, lm: LMModel) -> None:
    check.require_cuda()
    figures, tokens = [], []
    for title, graphs in (("on", nullcontext()), ("off", no_cuda_graph())):
        loop = Loop(mimi, lm, 1, is_greedy=True)
        with graphs:
            tokens.append([loop.step() for _ in range(GRAPH_STEPS)])
            times = step_times(loop.step, GRAPH_STEPS)
        loop.close()
        figures.append(f"{title} {p50(times):.1f} ms")
    equal = equal_steps(*tokens)
    text = f"a step of 1: {', '.join(figures)}; equal steps before a difference {equal} of {GRAPH_STEPS}"
    check.report.check("CUDA graphs", equal >= GRAPH_STEPS / 2, text)


def _measure(check: Check, mimi: MimiModel, lm: LMModel, streams: int, durations: dict[int, float]) -> None:
    loop = Loop(mimi, lm, streams)
    try:
        times = step_times(loop.step, SMALL_STEPS if check.small else STEPS, lambda: check.budget.has_time)
        check.report.row(f"{streams} streams", f"step {quantiles(times)}   {memory_mb(check.device):9,.0f} MB")
        durations[streams] = p99(times)
    finally:
        loop.close()
