"""Prometheus metrics of engines. A separate inference process serves them at METRICS_PORT; a process that also runs the
site, at `/metrics`."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from time import perf_counter
from typing import Any

from prometheus_client import Counter, Gauge, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from inference.loading.device import graphics_cards
from inference.messages import SlotLimits

STEPS = Histogram(
    "inference_latency_seconds",
    "Duration of an engine step for all streams, in seconds (a frame is 0.08 s)",
    ["engine"],
    buckets=(0.005, 0.01, 0.02, 0.03, 0.04, 0.05, 0.06, 0.07, 0.08, 0.1, 0.15, 0.2, 0.5, 1, 2, 5),
)
FRAMES_BEHIND = Gauge("speech_frames_behind", "Backlog in frames of the stream furthest behind", ["engine"])
WARMUP = Gauge("warmup_duration_seconds", "Last engine start-up time, in seconds", ["engine"])
WARMUP_SUCCESS = Counter("warmup_success", "Successful engine starts", ["engine"])
WARMUP_FAILURE = Counter("warmup_failure", "Failed engine starts", ["engine"])
LOST = Counter("speech_engine_lost", "Engines that died or failed while running", ["engine"])
SLOT_LIMITS = Gauge(
    "speech_slot_limit",
    "Slots that memory and step time would allow, of engines that measure them",
    ["engine", "limit"],
)
STALLS = Counter(
    "speech_stalls", "Streams restarted because speech got no words, by what became of it", ["engine", "outcome"]
)


def initialize_counters(engine: str) -> None:
    """Create the series at 0, so that queries and alerts see the first increase."""
    for counter in (WARMUP_SUCCESS, WARMUP_FAILURE, LOST):
        counter.labels(engine)
    for outcome in ("repeated", "skipped"):
        STALLS.labels(engine, outcome)


def record_slot_limits(engine: str, limits: SlotLimits) -> None:
    SLOT_LIMITS.labels(engine, "memory").set(limits.memory)
    SLOT_LIMITS.labels(engine, "time").set(limits.time)


@contextmanager
def warming_up(engine: str) -> Iterator[None]:
    started = perf_counter()
    try:
        yield
    except Exception:
        WARMUP_FAILURE.labels(engine).inc()
        raise
    WARMUP.labels(engine).set(perf_counter() - started)
    WARMUP_SUCCESS.labels(engine).inc()


class GraphicsCards(Collector):
    """Reads the GPUs at each scrape; reports nothing without a GPU."""

    def collect(self) -> Iterable[GaugeMetricFamily]:
        free = GaugeMetricFamily("system_free_vram_bytes", "Free memory of a GPU", labels=["gpu"])
        utilization = GaugeMetricFamily("system_gpu_utilization_percent", "GPU utilization, in percent", labels=["gpu"])
        with suppress(Exception):  # the engines report a failing driver
            for card in graphics_cards():
                free.add_metric([card.name], card.free_bytes)
                utilization.add_metric([card.name], card.utilization)
        return [family for family in (free, utilization) if family.samples]

    def describe(self) -> list[Any]:
        """Empty, because the registry would otherwise call `collect` at registration."""
        return []
