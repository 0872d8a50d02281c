"""What is counted of engines, for Prometheus. An inference process of its own tells it at METRICS_PORT; in one process
with the site `/metrics` does."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from time import perf_counter
from typing import Any

from prometheus_client import Counter, Gauge, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from inference.loading.device import graphics_cards

STEPS = Histogram(
    "inference_latency_seconds",
    "A step of an engine, for all its streams together; a frame lasts 0.08",
    ["engine"],
    buckets=(0.005, 0.01, 0.02, 0.03, 0.04, 0.05, 0.06, 0.07, 0.08, 0.1, 0.15, 0.2, 0.5, 1, 2, 5),
)
FRAMES_BEHIND = Gauge(
    "speech_frames_behind", "Frames that wait for the engine, of the stream that has the most", ["engine"]
)
WARMUP = Gauge("warmup_duration_seconds", "How long the engine took to come up, the last time", ["engine"])
WARMUP_SUCCESS = Counter("warmup_success", "Times that an engine came up", ["engine"])
WARMUP_FAILURE = Counter("warmup_failure", "Times that an engine did not come up", ["engine"])
LOST = Counter("speech_engine_lost", "Times that an engine died, or failed, at work", ["engine"])


def initialize_counters(engine: str) -> None:
    """A series that begins at 0 shows its first increase, to an alert too."""
    for counter in (WARMUP_SUCCESS, WARMUP_FAILURE, LOST):
        counter.labels(engine)


@contextmanager
def warming_up(engine: str) -> Iterator[None]:
    began = perf_counter()
    try:
        yield
    except Exception:
        WARMUP_FAILURE.labels(engine).inc()
        raise
    WARMUP.labels(engine).set(perf_counter() - began)
    WARMUP_SUCCESS.labels(engine).inc()


class GraphicsCards(Collector):
    """Asked when somebody asks; where there are none, nothing is told."""

    def collect(self) -> Iterable[GaugeMetricFamily]:
        free = GaugeMetricFamily("system_free_vram_bytes", "Free memory of a GPU", labels=["gpu"])
        busy = GaugeMetricFamily("system_gpu_utilization_percent", "How busy a GPU is", labels=["gpu"])
        with suppress(Exception):  # a driver that fails is told by the engines
            for card in graphics_cards():
                free.add_metric([card.name], card.free_bytes)
                busy.add_metric([card.name], card.utilization)
        return [family for family in (free, busy) if family.samples]

    def describe(self) -> list[Any]:
        """Else it would be asked when it is registered."""
        return []
