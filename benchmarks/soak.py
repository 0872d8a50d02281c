"""Many streams for a long time, with sessions that come and go: `python -m benchmarks.soak`.

Real Daphne, Redis and `manage.py inference` with the checksum engine, so that every word is checked; each stream sends
audio in real time for 20 to 60 s, then a new one follows. The resources of the processes are measured without streams:
after a warm-up, halfway and at the end.
"""

import argparse
import asyncio
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from itertools import count

from benchmarks.support.client import Client
from benchmarks.support.processes import site_processes, tickets
from benchmarks.support.vitals import Vitals, table, vitals
from tests.support.speech.checksum_audio import noise, words_of

HOST = "127.0.0.1"
FRAMES_PER_SECOND = 12.5
MIN_DURATION, MAX_DURATION = 20, 60  # seconds
SETTLING_TIME = 20.0
"""Seconds after the last stream until the site has released everything."""
MAX_GROWTH = 0.05
"""Growth of a value, as a share, that is not reported."""


async def speak(url: Callable[[], str], origin: str, streams: int, seconds: float) -> tuple[int, int]:
    """Run `streams` concurrent streams. Returns the number of sessions, and of those with a wrong word."""
    deadline, seeds, wrong, sessions = time.monotonic() + seconds, count(), 0, 0

    async def speak_repeatedly() -> None:
        nonlocal wrong, sessions
        await asyncio.sleep(random.random() * MIN_DURATION)
        while (left := deadline - time.monotonic()) > 5:
            duration = min(random.uniform(MIN_DURATION, MAX_DURATION), left)
            pcm = noise(round(duration * FRAMES_PER_SECOND), next(seeds))
            client = Client(url, origin, pcm)
            await client.run()
            sessions += 1
            wrong += [client.observed.words.get(i) for i in range(len(words_of(pcm)))] != words_of(pcm)

    await asyncio.gather(*(speak_repeatedly() for _ in range(streams)))
    return sessions, wrong


def growth(before: Vitals, after: Vitals) -> list[str]:
    """Values that grew by more than `MAX_GROWTH`."""
    pairs = ((name, value, getattr(after, name)) for name, value in asdict(before).items())
    return [f"{name.replace('_', ' ')}: {old} to {new}" for name, old, new in pairs if new > old * (1 + MAX_GROWTH)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--streams", type=int, default=50)
    parser.add_argument("--minutes", type=float, default=20.0)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    random.seed(options.seed)
    with site_processes("checksum", slots=options.streams, LOG_LEVEL="INFO") as (port, running):
        unused: Iterator[str] = iter(tickets(running.env, 5_000))

        def run_phase(minutes: float) -> Vitals:
            sessions, wrong = asyncio.run(
                speak(
                    lambda: f"ws://{HOST}:{port}/ws/live/?ticket={next(unused)}",
                    f"http://{HOST}:{port}",
                    options.streams,
                    60 * minutes,
                )
            )
            print(f"{minutes:.1f} min: {sessions} sessions, {wrong} with a wrong word", flush=True)
            time.sleep(SETTLING_TIME)
            return vitals(running)

        warm = run_phase(options.minutes * 0.1)
        halfway = run_phase(options.minutes * 0.45)
        end = run_phase(options.minutes * 0.45)
    print(table(warm=warm, halfway=halfway, end=end))
    print("grown by more than 5% since the warm-up:", ", ".join(growth(warm, end)) or "nothing")
    print("grown by more than 5% since halfway:", ", ".join(growth(halfway, end)) or "nothing")


if __name__ == "__main__":
    main()
