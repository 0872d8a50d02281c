"""Resources that an idle site must release: slots, tasks, files, memory, Redis keys."""

import re
import signal
import time
from dataclasses import asdict, dataclass

import psutil
import redis

from benchmarks.support.processes import Processes


@dataclass
class Vitals:
    tasks: int
    streams: int
    waiting: int
    free: int
    slots: int
    web_files: int
    web_threads: int
    web_memory_mb: int
    inference_files: int
    inference_memory_mb: int
    redis_keys: int


def vitals(running: Processes) -> Vitals:
    web, inference = (psutil.Process(running.running[name].pid) for name in ("web", "inference"))
    web.send_signal(signal.SIGUSR1)
    time.sleep(1)
    pattern = r"(\d+) tasks, (\d+) streams, (\d+) waiting, (\d+) of (\d+) slots free"
    counts = [int(number) for number in re.findall(pattern, running.web_log.read_text())[-1]]
    return Vitals(
        *counts,
        web_files=web.num_fds(),
        web_threads=web.num_threads(),
        web_memory_mb=web.memory_info().rss // 2**20,
        inference_files=inference.num_fds(),
        inference_memory_mb=inference.memory_info().rss // 2**20,
        redis_keys=_permanent_keys(redis.Redis.from_url(running.env["REDIS_URL"])),
    )


def _permanent_keys(store: redis.Redis) -> int:
    """Number of keys, except those of used tickets, which expire with the tickets."""
    return sum(b"token-used" not in key for key in store.scan_iter(count=1000))


def table(**readings: Vitals) -> str:
    lines = [f"{'':22}" + "".join(f"{title.replace('_', ' '):>12}" for title in readings)]
    for name in asdict(next(iter(readings.values()))):
        values = "".join(f"{getattr(reading, name):12}" for reading in readings.values())
        lines.append(f"{name.replace('_', ' '):22}{values}")
    return "\n".join(lines)
