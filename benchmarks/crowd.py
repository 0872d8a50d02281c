"""How many people a machine hears at once, in real time: `python -m benchmarks.crowd [--speakers 8 16 32]`.

The site as `make serve` starts it, everybody through a WebSocket of their own, all speaking the same speech, begun at
different moments. Told is how long after the end of each utterance its final words came, and how often what may still
change was told meanwhile. All of it, the speakers included, shares this machine.
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from inference.messages import FRAME_BYTES, FRAME_SAMPLES, SAMPLE_RATE
from tests.support.clients.sockets import LiveSocket, live_socket, tickets
from tests.support.servers.site import Site, running_site
from tests.support.speech.audio import Recording
from tests.support.speech.words import word_error_rate

FRAME_SECONDS = FRAME_SAMPLES / SAMPLE_RATE
SPREAD = 10.0
"""Seconds in which they begin, one after another."""
HEADER = "speakers  refused  final after an utterance    after Stop       texts between      word   CPU"
UNDER = "                   median     p95  longest   median     p95   median    p95   errors"


@dataclass
class Tally:
    refused: int = 0
    finals: list[float] = field(default_factory=list)  # seconds, from the end of an utterance to its final words
    stops: list[float] = field(default_factory=list)
    gaps: list[float] = field(default_factory=list)  # between two readings of the same utterance
    errors: list[float] = field(default_factory=list)


class Speaker:
    def __init__(self, socket: LiveSocket, pcm: bytes, tally: Tally) -> None:
        self._socket = socket
        self._pcm = pcm
        self._tally = tally
        self._began = 0.0
        self._words: list[str] = []

    async def speak(self, text: str) -> None:
        await self._socket.start()
        self._began = time.monotonic()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._say())
            tasks.create_task(self._listen())
        self._tally.errors.append(word_error_rate(text, " ".join(self._words)))

    async def _say(self) -> None:
        for number, start in enumerate(range(0, len(self._pcm), FRAME_BYTES)):
            await asyncio.sleep(self._began + (number + 1) * FRAME_SECONDS - time.monotonic())
            await self._socket.socket.send(self._pcm[start : start + FRAME_BYTES])
        await self._socket.send(type="stop")
        self._stopped = time.monotonic()

    async def _listen(self) -> None:
        read_at = None
        while (message := await self._socket.next())["type"] != "done":
            now = time.monotonic()
            match message["type"]:
                case "word":
                    self._words.append(message["text"])
                case "partial" if message["text"]:
                    if read_at:
                        self._tally.gaps.append(now - read_at)
                    read_at = now
                case "endpoint":
                    self._tally.finals.append(now - self._began - message["end"])
                    read_at = None
        self._tally.stops.append(time.monotonic() - self._stopped)


async def crowd(site: Site, count: int, pcm: bytes, text: str) -> Tally:
    tally = Tally()

    async def one(number: int, ticket: str) -> None:
        await asyncio.sleep(SPREAD * number / count)
        async with live_socket(site, ticket) as socket:
            try:
                await Speaker(socket, pcm, tally).speak(text)
            except AssertionError:  # an error was told in place of `ready`
                tally.refused += 1

    async with asyncio.TaskGroup() as tasks:
        for number, ticket in enumerate(tickets(site, count)):
            tasks.create_task(one(number, ticket))
    return tally


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--speakers", type=int, nargs="*", default=[8, 16, 24, 32])
    parser.add_argument("--slots", type=int, default=0, help="0: as many as the machine is thought to carry")
    parser.add_argument("--engine", default="auto")
    options = parser.parse_args()
    print(f"{psutil.cpu_count()} cores\n{HEADER}\n{UNDER}", flush=True)
    for count in options.speakers:
        with tempfile.TemporaryDirectory() as folder:
            recording = Recording("bria", Path(folder))
            pcm = recording.samples().tobytes()
            env = {"STT_ENGINE": options.engine, "STT_SLOTS": str(options.slots), "STREAMS_PER_USER": "1000"}
            (Path(folder) / "site").mkdir()
            with running_site(Path(folder) / "site", **env) as site:
                process = psutil.Process(site.web.process.pid)
                before = cpu_seconds(process)
                tally = asyncio.run(crowd(site, count, pcm, recording.text))
                busy = (cpu_seconds(process) - before) / (len(pcm) / 2 / SAMPLE_RATE + SPREAD)
        report(count, tally, busy)


def cpu_seconds(process: psutil.Process) -> float:
    return sum(sum(each.cpu_times()[:2]) for each in (process, *process.children(recursive=True)))


def report(count: int, tally: Tally, busy: float) -> None:
    finals, stops, gaps = (_cut(values) for values in (tally.finals, tally.stops, tally.gaps))
    print(
        f"{count:8} {tally.refused:8} {finals[0]:8.2f} s {finals[1]:5.2f} s {max(tally.finals):6.2f} s "
        f"{stops[0]:6.2f} s {stops[1]:5.2f} s {gaps[0]:6.2f} s {gaps[1]:4.1f} s {statistics.mean(tally.errors):8.3f}"
        f" {100 * busy:4.0f} %",
        flush=True,
    )


def _cut(values: list[float]) -> tuple[float, float]:
    """Median and p95."""
    return statistics.median(values), statistics.quantiles(values, n=20)[-1] if len(values) > 1 else values[0]


if __name__ == "__main__":
    main()
