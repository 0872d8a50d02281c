"""Kills, hangs and restarts every component under live streams, and counts the words: `python -m benchmarks.chaos`.

Two web and two inference processes, Redis and PostgreSQL, all real. Every few seconds there is a fault whose kind and
moment depend on a seed. Streams come and go all the time; each client sends audio in real time and reconnects. The
engine's words are checksums of the audio, so that missing, duplicated or moved samples show. With `--engine moonshine`
it uses the speech of tests/support/speech/audio.py and reports the word error rate with and without faults.
"""

import argparse
import asyncio
import random
import signal
import socket
import statistics
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from pathlib import Path

import psycopg
import redis
from redis.backoff import ConstantBackoff
from redis.retry import Retry

from benchmarks.support.client import Client
from benchmarks.support.processes import (
    Processes,
    free_port,
    processes,
    tickets,
    wait_for_engine,
    wait_for_port,
    wait_for_site,
)
from tests.support.servers.postgres import Postgres
from tests.support.speech.audio import recorded_speech
from tests.support.speech.checksum_audio import noise, words_of
from tests.support.speech.words import word_error_rate

HOST = "127.0.0.1"
FRAMES_PER_SECOND = 12.5
HANG_DURATION = 5.0
DATABASE_OUTAGE = 10.0
RESTART_DELAY = 1.0
FAULT_INTERVAL = 4.0
"""Seconds between a fault's end and the next fault."""
STORED_WORDS = "SELECT session_id::text, index, text FROM speech_word ORDER BY session_id, index"
MAX_DELAY_OF_EFFECT = 12.0
"""Seconds after a fault during which a disturbance of a stream counts as its effect."""


class Site:
    """The processes and their faults."""

    def __init__(self, started: Processes, postgres: Postgres, slots: int) -> None:
        self._processes = started
        self._postgres = postgres
        self._slots = slots
        self._ports = {f"web {n}": free_port() for n in (1, 2)}
        self._inferences = ["inference 1", "inference 2"]
        self._redis = redis.Redis.from_url(started.env["REDIS_URL"], retry=Retry(ConstantBackoff(0.2), 50))
        self._tickets: Iterator[str] = iter(())

    def start(self) -> None:
        for name in (*self._ports, *self._inferences):
            self._start(name)
        for port in self._ports.values():
            wait_for_engine(port)
        self._tickets = iter(tickets(self._processes.env, 5000))

    @property
    def origin(self) -> str:
        return f"http://{HOST}:{self._ports['web 1']}"

    def url(self) -> str:
        """WebSocket URL at one of the listening web processes, as a proxy would choose it."""
        ports = [port for port in self._ports.values() if _listens(port)] or list(self._ports.values())
        return f"ws://{HOST}:{random.choice(ports)}/ws/live/?ticket={next(self._tickets)}"

    def faults(self) -> dict[str, Callable[[list[Client]], Awaitable[None]]]:
        web, inference = list(self._ports), self._inferences
        return {
            "kill -9 web": partial(self._kill, web),
            "kill -9 inference": partial(self._kill, inference),
            "restart web": partial(self._restart, web),
            "restart inference": partial(self._restart, inference),
            "hang web": partial(self._hang, web),
            "hang inference": partial(self._hang, inference),
            "redis restart": self._restart_redis,
            "redis flush": self._flush_redis,
            "database outage": self._stop_database,
            "network cut": self._cut,
            "page reload": self._reload,
        }

    def stored_words(self) -> dict[str, list[str]]:
        """Stored words by session, read from the database."""
        words: dict[str, list[str]] = defaultdict(list)
        with psycopg.connect(self._processes.env["DATABASE_URL"]) as connection:
            for session, index, text in connection.execute(STORED_WORDS):
                words[session] += ["(missing)"] * (index - len(words[session]))
                words[session].append(text)
        return words

    def _start(self, name: str) -> None:
        if name in self._ports:
            self._processes.python(name, "manage.py", "serve", PORT=str(self._ports[name]))
        else:
            self._processes.python(name, "manage.py", "inference", "--slots", str(self._slots))

    async def _kill(self, names: list[str], clients: list[Client]) -> None:
        await self._restart_with(random.choice(names), signal.SIGKILL)

    async def _restart(self, names: list[str], clients: list[Client]) -> None:
        await self._restart_with(random.choice(names), signal.SIGTERM)

    async def _restart_with(self, name: str, signal_number: signal.Signals) -> None:
        process = self._processes.running[name]
        process.send_signal(signal_number)
        await asyncio.to_thread(process.wait, 15)
        await asyncio.sleep(RESTART_DELAY)
        self._start(name)
        if name in self._ports:
            await asyncio.to_thread(wait_for_site, self._ports[name])

    async def _hang(self, names: list[str], clients: list[Client]) -> None:
        process = self._processes.running[random.choice(names)]
        process.send_signal(signal.SIGSTOP)
        await asyncio.sleep(HANG_DURATION)
        process.send_signal(signal.SIGCONT)

    async def _restart_redis(self, clients: list[Client]) -> None:
        process = self._processes.running["redis"]
        command = process.args
        process.kill()
        await asyncio.to_thread(process.wait)
        await asyncio.sleep(RESTART_DELAY)
        assert isinstance(command, tuple)
        self._processes.start("redis", *command)
        await asyncio.to_thread(wait_for_port, int(self._processes.env["REDIS_URL"].split(":")[2].split("/")[0]))

    async def _flush_redis(self, clients: list[Client]) -> None:
        await asyncio.to_thread(self._redis.flushall)

    async def _stop_database(self, clients: list[Client]) -> None:
        await asyncio.to_thread(self._postgres.crash)
        await asyncio.sleep(DATABASE_OUTAGE)
        await asyncio.to_thread(self._postgres.start)

    async def _cut(self, clients: list[Client]) -> None:
        random.choice(clients).disconnect()

    async def _reload(self, clients: list[Client]) -> None:
        random.choice(clients).reload()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


@contextmanager
def running_site(engine: str, slots: int) -> Iterator[Site]:
    with ExitStack() as stack:
        postgres = Postgres()
        stack.callback(postgres.stop)
        env = {
            "STT_ENGINE": engine,
            "TTS_ENGINE": "",
            "DATABASE_URL": postgres.new_database(),
            "STREAMS_PER_USER": "10000",
        }
        # Both web processes have the same origin, as behind a proxy.
        started = stack.enter_context(processes(**env, SITE_URL=f"http://{HOST}"))
        site = Site(started, postgres, slots)
        site.start()
        yield site


# --- Run and verdict --------------------------------------------------------------------------------------------------


@dataclass
class Run:
    clients: list[Client] = field(default_factory=list)
    spoken: dict[Client, bytes] = field(default_factory=dict)
    faults: list[tuple[str, float]] = field(default_factory=list)


async def disturb(site: Site, streams: int, faults: int, audio: Callable[[], bytes], kinds: list[str]) -> Run:
    """Run `streams` concurrent streams through `faults` faults, then let all of them end."""
    run, live = Run(), set[asyncio.Task[None]]()
    has_ended = asyncio.Event()

    async def speak_repeatedly() -> None:
        while not has_ended.is_set():
            client = Client(site.url, site.origin, pcm := audio())
            run.clients.append(client)
            run.spoken[client] = pcm
            now_speaking.add(client)
            await client.run()
            now_speaking.discard(client)

    now_speaking: set[Client] = set()
    live = {asyncio.create_task(speak_repeatedly()) for _ in range(streams)}
    await asyncio.sleep(FAULT_INTERVAL)
    for number in range(faults):
        kind = kinds[number % len(kinds)] if number < len(kinds) else random.choice(kinds)
        run.faults.append((kind, time.monotonic()))
        await site.faults()[kind](list(now_speaking))
        await asyncio.sleep(FAULT_INTERVAL + random.random())
    has_ended.set()
    done, late = await asyncio.wait(live, timeout=180)
    for task in late:
        task.cancel()
    for task in done:
        task.result()
    return run


@dataclass
class Verdict:
    streams: int = 0
    words: int = 0
    lost: int = 0
    duplicated: int = 0
    out_of_order: int = 0
    contradicted: int = 0
    unfinished: int = 0

    @property
    def is_good(self) -> bool:
        return not (self.lost or self.duplicated or self.out_of_order or self.contradicted or self.unfinished)


def judge(run: Run, stored: dict[str, list[str]]) -> Verdict:
    verdict = Verdict(streams=len(run.clients))
    for client in run.clients:
        expected = words_of(run.spoken[client])
        found = stored.get(client.session or "", [])
        missing, extra = Counter(expected) - Counter(found), Counter(found) - Counter(expected)
        verdict.words += len(expected)
        verdict.lost += missing.total()
        verdict.duplicated += extra.total()
        verdict.out_of_order += not missing and not extra and expected != found
        verdict.contradicted += client.observed.contradicted
        verdict.contradicted += len(client.observed.words.items() - dict(enumerate(expected)).items())
        verdict.unfinished += not client.is_done
    return verdict


def recoveries(run: Run) -> dict[str, list[float]]:
    """Seconds from a fault to the first new word, of each disturbed stream, by kind of fault."""
    recovery: dict[str, list[float]] = defaultdict(list)
    for number, (kind, at) in enumerate(run.faults):
        later = run.faults[number + 1][1] if number + 1 < len(run.faults) else at + MAX_DELAY_OF_EFFECT
        for client in run.clients:
            disturbed = [
                when for when in client.observed.disturbed_at if at <= when < min(later, at + MAX_DELAY_OF_EFFECT)
            ]
            after = [when for when in client.observed.new_words_at if disturbed and when > disturbed[0]]
            if after:
                recovery[kind].append(after[0] - at)
    return recovery


def table(run: Run, kinds: list[str]) -> str:
    recovery, faults = recoveries(run), Counter(kind for kind, _ in run.faults)
    lines = [f"{'fault':18} {'count':>5} {'streams disturbed':>18} {'new word p50 s':>15} {'p95 s':>6} {'max s':>6}"]
    for kind in kinds:
        seconds = sorted(recovery[kind])
        figures = (
            f"{statistics.median(seconds):15.1f} {seconds[int(0.95 * (len(seconds) - 1))]:6.1f} {seconds[-1]:6.1f}"
            if seconds
            else f"{'–':>15} {'–':>6} {'–':>6}"
        )
        lines.append(f"{kind:18} {faults[kind]:5} {len(seconds):18} {figures}")
    every = sorted(second for seconds in recovery.values() for second in seconds)
    if every:
        lines.append(
            f"{'all':18} {len(run.faults):5} {len(every):18} {statistics.median(every):15.1f} "
            f"{every[int(0.95 * (len(every) - 1))]:6.1f} {every[-1]:6.1f}"
        )
    return "\n".join(lines)


def checksums(
    streams: int, faults: int, seconds: tuple[int, int], kinds: list[str] | None = None
) -> tuple[str, Verdict]:
    seeds = count()

    def audio() -> bytes:
        return noise(round(random.randint(*seconds) * FRAMES_PER_SECOND), next(seeds))

    with running_site("checksum", slots=2 * streams) as site:
        kinds = kinds or list(site.faults())
        run = asyncio.run(disturb(site, streams, faults, audio, kinds))
        verdict = judge(run, site.stored_words())
    return table(run, kinds), verdict


def real_speech(streams: int, faults: int) -> str:
    with tempfile.TemporaryDirectory() as folder:
        recording = recorded_speech(Path(folder))
        pcm = recording.samples().tobytes()
    lines = []
    for title, number in (("undisturbed", 0), ("disturbed", faults)):
        with running_site("moonshine", slots=streams) as site:
            asyncio.run(disturb(site, streams, number, lambda: pcm, list(site.faults())))
            stored = site.stored_words()
        rates = [word_error_rate(recording.text, " ".join(words)) for words in stored.values()]
        lines.append(
            f"{title:12} {len(rates):4} streams, word error rate {min(rates):.3f} to {max(rates):.3f}, "
            f"mean {statistics.mean(rates):.3f}"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--streams", type=int, default=20)
    parser.add_argument("--faults", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--engine", choices=["checksum", "moonshine"], default="checksum")
    options = parser.parse_args()
    random.seed(options.seed)
    if options.engine == "moonshine":
        print(real_speech(options.streams, options.faults))
        return
    lines, verdict = checksums(options.streams, options.faults, (20, 60))
    print(f"{options.streams} concurrent streams, {options.faults} faults\n{lines}\n{verdict}")
    sys.exit(not verdict.is_good)


if __name__ == "__main__":
    main()
