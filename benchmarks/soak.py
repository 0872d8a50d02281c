"""Many streams for a long time, sessions coming and going: `python -m benchmarks.soak`.

Real Daphne, Redis and `manage.py inference` with the checksum engine, so that every word is checked; each stream is
spoken in real time for 20 to 60 s, and a new one follows. What the processes hold is read with nobody speaking: after
a warm-up, half-way and at the end.
"""

import argparse
import asyncio
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from itertools import count
from pathlib import Path

from benchmarks.support.processes import free_port, processes, tickets, wait_for_engine
from benchmarks.support.speaker import Speaker
from benchmarks.support.vitals import Vitals, table, vitals
from tests.support.speech.checksum_audio import noise, words_of

HOST = "127.0.0.1"
FRAMES_A_SECOND = 12.5
SHORTEST, LONGEST = 20, 60  # seconds
QUIET_FOR = 20.0
"""Seconds after which a site that nobody speaks to has given everything back."""
MAY_MOVE = 0.05


async def speak(url: Callable[[], str], origin: str, streams: int, seconds: float) -> tuple[int, int]:
    """So many at once for so long. Returns how many sessions there were, and in how many a word was wrong."""
    ends, seeds, wrong, sessions = time.monotonic() + seconds, count(), 0, 0

    async def speak_on() -> None:
        nonlocal wrong, sessions
        await asyncio.sleep(random.random() * SHORTEST)
        while (left := ends - time.monotonic()) > 5:
            length = min(random.uniform(SHORTEST, LONGEST), left)
            pcm = noise(round(length * FRAMES_A_SECOND), next(seeds))
            speaker = Speaker(url, origin, pcm)
            await speaker.run()
            sessions += 1
            wrong += [speaker.seen.words.get(i) for i in range(len(words_of(pcm)))] != words_of(pcm)

    await asyncio.gather(*(speak_on() for _ in range(streams)))
    return sessions, wrong


def moved(before: Vitals, after: Vitals) -> list[str]:
    """What is more than it was, by more than a twentieth."""
    pairs = ((name, value, getattr(after, name)) for name, value in asdict(before).items())
    return [f"{name.replace('_', ' ')}: {old} to {new}" for name, old, new in pairs if new > old * (1 + MAY_MOVE)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--streams", type=int, default=50)
    parser.add_argument("--minutes", type=float, default=20.0)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    random.seed(options.seed)
    port = free_port()
    with processes(
        PORT=str(port), STREAMS_PER_USER="100000", STT_ENGINE="checksum", TTS_ENGINE="", LOG_LEVEL="INFO"
    ) as running:
        log = Path(running.env["DATA_DIR"], "web.log")
        running.python("web", "manage.py", "serve", log=log)
        running.python("inference", "manage.py", "inference", "--slots", str(options.streams))
        wait_for_engine(port)
        unused: Iterator[str] = iter(tickets(running.env, 5_000))

        def part(minutes: float) -> Vitals:
            sessions, wrong = asyncio.run(
                speak(
                    lambda: f"ws://{HOST}:{port}/ws/live/?ticket={next(unused)}",
                    f"http://{HOST}:{port}",
                    options.streams,
                    60 * minutes,
                )
            )
            print(f"{minutes:.1f} min: {sessions} sessions, {wrong} with a wrong word", flush=True)
            time.sleep(QUIET_FOR)
            return vitals(running, log)

        warm = part(options.minutes * 0.1)
        halfway = part(options.minutes * 0.45)
        end = part(options.minutes * 0.45)
    print(table(warm=warm, half_way=halfway, end=end))
    print("grown by more than 5 % since the warm-up:", ", ".join(moved(warm, end)) or "nothing")
    print("grown by more than 5 % since half-way:", ", ".join(moved(halfway, end)) or "nothing")


if __name__ == "__main__":
    main()
