"""Times of steps and the memory in use."""

import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

REAL_TIME_MS = 60.0
"""Longest step with which streams are carried: three quarters of the 80 ms that a frame lasts."""
WARM_UP_STEPS = 3


def step_times(step: Callable[[], Any], count: int, deadline: Callable[[], bool] = lambda: True) -> list[float]:
    """Milliseconds of each of `count` steps after the warm-up, or of fewer if `deadline` returns False meanwhile."""
    times: list[float] = []
    for number in range(count + WARM_UP_STEPS):
        started = time.perf_counter()
        step()
        if number >= WARM_UP_STEPS:
            times.append(1000 * (time.perf_counter() - started))
            if not deadline():
                break
    return times


def p50(values: list[float]) -> float:
    return statistics.median(values)


def p99(values: list[float]) -> float:
    return statistics.quantiles(values, n=100, method="inclusive")[98] if len(values) > 1 else values[0]


def quantiles(values: list[float]) -> str:
    return f"p50 {p50(values):7.1f} ms   p99 {p99(values):7.1f} ms"


def memory_mb(device: str) -> float:
    """Memory in use: of the whole GPU, with its CUDA context and graphs; on a CPU that of this process."""
    if device.startswith("cuda"):
        free, total = torch.cuda.mem_get_info(device)
        return (total - free) / 1e6
    status = Path("/proc/self/status")
    resident = [line for line in status.read_text().splitlines() if line.startswith("VmRSS")] if status.exists() else []
    return int(resident[0].split()[1]) / 1000 if resident else 0.0
