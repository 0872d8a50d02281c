"""Capacity and latency of the path web → Redis → inference → Redis → web: `python -m benchmarks.link`.

Real Daphne, Redis and `manage.py inference` with the echo engine; every stream sends an 80 ms frame every 80 ms through
a real WebSocket. The baseline does the same with one channel-layer message per frame. Latency is from the sending of a
frame to the arrival of its step. The load generator shares this machine, so compare the two designs, not two machines.
"""

import argparse
import asyncio
import os
import statistics
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from benchmarks.support.load import Tally, speak
from benchmarks.support.processes import Processes, free_port, processes, site_processes, tickets, wait_for_port

HOST = "127.0.0.1"
HEADER = "design    streams    sent answered   lost   p50 ms   p95 ms   p99 ms  CPU"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--streams", type=int, nargs="*", default=[50, 100, 200, 300], help="numbers of streams")
    parser.add_argument("--baseline", type=int, nargs="*", default=[16, 32, 48, 64, 96], help="the same, per frame")
    parser.add_argument("--seconds", type=float, default=20.0, help="duration of each run")
    options = parser.parse_args()
    print(f"{os.cpu_count()} cores, {options.seconds:.0f} s each\n{HEADER}", flush=True)
    bundles = [_measure("bundles", _bundles, n, options.seconds) for n in options.streams]
    baseline = [_measure("per frame", _per_frame, n, options.seconds) for n in options.baseline]
    best, best_baseline = _max_without_loss(bundles), _max_without_loss(baseline)
    print(f"\nwithout loss: {best} streams in bundles, {best_baseline} per frame", end="")
    print(f": {best / best_baseline:.1f} times as many" if best_baseline else "")


def _max_without_loss(runs: list[tuple[int, Tally]]) -> int:
    return max((streams for streams, tally in runs if tally.sent == tally.answered), default=0)


Design = Callable[[int], AbstractContextManager[tuple[int, Processes, list[str]]]]
"""Starts the processes for a number of streams; yields the port, the processes, and the streams' WebSocket paths."""


def _measure(name: str, design: Design, streams: int, seconds: float) -> tuple[int, Tally]:
    with design(streams) as (port, running, paths):
        before = running.cpu_seconds()
        tally = asyncio.run(speak(HOST, port, paths, seconds))
        after = running.cpu_seconds()
    if tally.rejected:
        print(f"{len(tally.rejected)} rejected, the first: {tally.rejected[0]}", file=sys.stderr)
    percentiles = statistics.quantiles(tally.latencies, n=100) if len(tally.latencies) > 1 else [float("nan")] * 99
    cpu = ", ".join(f"{process} {100 * (after[process] - before[process]) / (seconds + 2):.0f}%" for process in after)
    print(
        f"{name:9} {streams:7} {tally.sent:7} {tally.answered:8} {tally.sent - tally.answered:6} "
        f"{1000 * percentiles[49]:8.1f} {1000 * percentiles[94]:8.1f} {1000 * percentiles[98]:8.1f}  {cpu}",
        flush=True,
    )
    return streams, tally


@contextmanager
def _bundles(streams: int) -> Iterator[tuple[int, Processes, list[str]]]:
    with site_processes("echo", streams) as (port, running):
        yield port, running, [f"/ws/live/?ticket={ticket}" for ticket in tickets(running.env, streams)]


@contextmanager
def _per_frame(streams: int) -> Iterator[tuple[int, Processes, list[str]]]:
    port = free_port()
    with processes() as running:
        running.start(
            "web", sys.executable, "-m", "daphne", "-v0", "-p", str(port), "benchmarks.support.per_frame:application"
        )
        running.python("inference", "-m", "benchmarks.support.per_frame")
        wait_for_port(port)
        yield port, running, ["/"] * streams


if __name__ == "__main__":
    main()
