"""Number of streams that a machine transcribes in real time: `python -m benchmarks.crowd [--streams 8 16 32]`.

The site as `make serve` starts it. Every client has its own WebSocket and sends the same speech
(tests/support/speech/audio.py) from a different start time. Prints the delay from the end of a segment to its final
words, and the time between partials. The clients share this machine.
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
from tests.support.speech.audio import recorded_speech
from tests.support.speech.words import word_error_rate

FRAME_SECONDS = FRAME_SAMPLES / SAMPLE_RATE
START_SPREAD = 10.0
"""Seconds over which the starts of the streams are spread."""
HEADER = " streams rejected  final after segment end    after Stop    between partials    word   CPU"
SUBHEADER = "                   median     p95  maximum   median     p95   median    p95   errors"


@dataclass
class Tally:
    rejected: int = 0
    finals: list[float] = field(default_factory=list)  # seconds, from the end of a segment to its final words
    stops: list[float] = field(default_factory=list)  # seconds, from Stop to `done`
    gaps: list[float] = field(default_factory=list)  # seconds, between two partials of a segment
    errors: list[float] = field(default_factory=list)


class Client:
    def __init__(self, socket: LiveSocket, pcm: bytes, tally: Tally) -> None:
        self._socket = socket
        self._pcm = pcm
        self._tally = tally
        self._started_at = 0.0
        self._words: list[str] = []

    async def run(self, text: str) -> None:
        await self._socket.start()
        self._started_at = time.monotonic()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._send_audio())
            tasks.create_task(self._receive())
        self._tally.errors.append(word_error_rate(text, " ".join(self._words)))

    async def _send_audio(self) -> None:
        for number, start in enumerate(range(0, len(self._pcm), FRAME_BYTES)):
            await asyncio.sleep(self._started_at + (number + 1) * FRAME_SECONDS - time.monotonic())
            await self._socket.socket.send(self._pcm[start : start + FRAME_BYTES])
        await self._socket.send(type="stop")
        self._stopped_at = time.monotonic()

    async def _receive(self) -> None:
        partial_at = None
        while (message := await self._socket.next())["type"] != "done":
            now = time.monotonic()
            match message["type"]:
                case "word":
                    self._words.append(message["text"])
                case "partial" if message["text"]:
                    if partial_at:
                        self._tally.gaps.append(now - partial_at)
                    partial_at = now
                case "endpoint":
                    self._tally.finals.append(now - self._started_at - message["end"])
                    partial_at = None
        self._tally.stops.append(time.monotonic() - self._stopped_at)


async def run_streams(site: Site, count: int, pcm: bytes, text: str) -> Tally:
    tally = Tally()

    async def run_one(number: int, ticket: str) -> None:
        await asyncio.sleep(START_SPREAD * number / count)
        async with live_socket(site, ticket) as socket:
            try:
                await Client(socket, pcm, tally).run(text)
            except AssertionError:  # an error instead of `ready`
                tally.rejected += 1

    async with asyncio.TaskGroup() as tasks:
        for number, ticket in enumerate(tickets(site, count)):
            tasks.create_task(run_one(number, ticket))
    return tally


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--streams", type=int, nargs="*", default=[8, 16, 24, 32], help="numbers of streams")
    parser.add_argument("--slots", type=int, default=0, help="STT_SLOTS; 0: automatic")
    parser.add_argument("--engine", default="auto", help="STT engine")
    options = parser.parse_args()
    print(f"{psutil.cpu_count()} cores\n{HEADER}\n{SUBHEADER}", flush=True)
    for count in options.streams:
        with tempfile.TemporaryDirectory() as folder:
            recording = recorded_speech(Path(folder))
            pcm = recording.samples().tobytes()
            env = {"STT_ENGINE": options.engine, "STT_SLOTS": str(options.slots), "STREAMS_PER_USER": "1000"}
            (Path(folder) / "site").mkdir()
            with running_site(Path(folder) / "site", **env) as site:
                process = psutil.Process(site.web.process.pid)
                before = cpu_seconds(process)
                tally = asyncio.run(run_streams(site, count, pcm, recording.text))
                busy = (cpu_seconds(process) - before) / (len(pcm) / 2 / SAMPLE_RATE + START_SPREAD)
        report(count, tally, busy)


def cpu_seconds(process: psutil.Process) -> float:
    return sum(sum(each.cpu_times()[:2]) for each in (process, *process.children(recursive=True)))


def report(count: int, tally: Tally, busy: float) -> None:
    finals, stops, gaps = (_median_and_p95(values) for values in (tally.finals, tally.stops, tally.gaps))
    print(
        f"{count:8} {tally.rejected:8} {finals[0]:8.2f} s {finals[1]:5.2f} s {max(tally.finals):6.2f} s "
        f"{stops[0]:6.2f} s {stops[1]:5.2f} s {gaps[0]:6.2f} s {gaps[1]:4.1f} s {statistics.mean(tally.errors):8.3f}"
        f" {100 * busy:4.0f}%",
        flush=True,
    )


def _median_and_p95(values: list[float]) -> tuple[float, float]:
    return statistics.median(values), statistics.quantiles(values, n=20)[-1] if len(values) > 1 else values[0]


if __name__ == "__main__":
    main()
