"""Metrics with the names that moshi-server uses, so that its dashboards work.

They are formatted by hand, because Prometheus' client library would add `_total` to the names of counters. It exports
all other metrics (`operations/health/metrics.py`).
"""

from bisect import bisect_left
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from inference.messages import STEP_BUCKETS, Kind, Status, StepLatencies

ASR_CONNECTION_STEPS = (2, 25, 125, 250, 500, 750, 1125, 1500, 2250, 3000, 4500)
TTS_CONNECTION_STEPS = (2, 25, 62.5, 125, 250, 500, 750)


@dataclass
class Histogram:
    name: str
    bounds: tuple[float, ...]
    counts: list[int] = field(default_factory=list)
    total: float = 0.0

    def observe(self, value: float) -> None:
        self.counts = self.counts or [0] * (len(self.bounds) + 1)
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value

    def lines(self) -> Iterator[str]:
        if not self.counts:
            return
        yield f"# TYPE {self.name} histogram"
        below = 0
        for bound, count in zip((*self.bounds, "+Inf"), self.counts, strict=True):
            below += count
            yield f'{self.name}_bucket{{le="{bound}"}} {below}'
        yield f"{self.name}_sum {self.total:g}"
        yield f"{self.name}_count {below}"


asr_steps = Histogram("asr_connection_num_steps", ASR_CONNECTION_STEPS)
py_steps = Histogram("py_model_connection_num_steps", TTS_CONNECTION_STEPS)
connects = {"asr_connect": 0, "py_connect": 0, "py_post_connect": 0}


@dataclass
class Connection:
    steps: int = 0


@contextmanager
def connection(counter: str, histogram: Histogram) -> Iterator[Connection]:
    """Count a connection and, at its end, its steps."""
    connects[counter] += 1
    counted = Connection()
    try:
        yield counted
    finally:
        histogram.observe(counted.steps)


def exposition(stt_engines: dict[str, Status], tts_engines: dict[str, Status]) -> str:
    """Return Prometheus' text format. Metrics without a value are omitted, as by moshi-server."""
    lines: list[str] = []
    for name, count in connects.items():
        if count:
            lines += [f"# TYPE {name} counter", f'{name}{{handler="all"}} {count}']
    for name, engines in (("asr_open_channels", stt_engines), ("py_open_channels", tts_engines)):
        if engines:
            used = sum(status.slots - status.free for status in engines.values())
            lines += [f"# TYPE {name} gauge", f'{name}{{handler="all"}} {used}']
    times = (
        _step_times("asr_model_step_duration", "stt", stt_engines),
        _step_times("py_model_step_duration", "tts", tts_engines),
    )
    for histogram in (asr_steps, py_steps, *times):
        lines += histogram.lines()
    if steps := sum(times[1].counts):  # an engine is only called for active streams
        for name in ("py_total_steps", "py_active_steps"):
            lines += [f"# TYPE {name} counter", f'{name}{{handler="all"}} {steps}']
    return "\n".join([*lines, ""])


def _step_times(name: str, kind: Kind, engines: dict[str, Status]) -> Histogram:
    """Step latencies of all running engines of a kind."""
    times = sum((status.step_latencies for status in engines.values()), StepLatencies())
    return Histogram(name, STEP_BUCKETS[kind], times.counts if any(times.counts) else [], times.seconds)
