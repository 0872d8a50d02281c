"""One account takes what it can get of the disk, the slots of an engine, and the encoders of the Voices page."""

import asyncio
import shutil
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import psutil

from benchmarks.support.attack.results import Table
from benchmarks.support.attack.sites import Visitor, default_site, logged_in, new_tokens
from inference.messages import FRAME_BYTES
from tests.support.clients.http import request
from tests.support.clients.kyutai import KyutaiSocket, asr_streaming
from tests.support.clients.sockets import live_socket, stored_words, tickets
from tests.support.clients.uploads import Sender
from tests.support.servers.site import Site
from tests.support.speech.checksum_audio import noise, words_of

MB = 1_000_000
LEFT = 3_000
"""MB that uploads may take of a disk that is nearly full."""
FILE = 2_000 * MB
HOG, OTHER = "hog@example.org", "other@example.org"
SLOTS, PROGRAMS = 2, 2
SECONDS = 16
"""Of audio of each stream."""
FRAME = 0.08
ROUNDS = 5
SERVED = 5.0
"""Seconds until another account gets a slot."""
CLIP, CLIPS = 60 * MB, 6


def run() -> Iterator[Table]:
    yield disk()
    with default_site(STT_SLOTS=str(SLOTS)) as site:
        yield asyncio.run(slots(site))
        yield encoders(site)


# --- Disk -----------------------------------------------------------------------------------------------------------


def disk() -> Table:
    table = Table(
        "uploads announced", "disk", "account", "announced MB", "refused with", "database's reserve MB", "ready"
    )
    for name, left in (("roomy", 0), ("nearly full", LEFT)):
        free = shutil.disk_usage(Path("/tmp")).free // MB
        with default_site(**({"DISK_RESERVE_MB": str(free - left)} if left else {})) as site:
            for account in (HOG, OTHER):
                announced, refusal = _announce(Sender(site, account), account)
                health = request(site, "/ready")
                reserve = free - left if left else "automatic"
                table.add(name, account.partition("@")[0], announced // MB, refusal, reserve, health.status)
                table.promise(announced <= left * MB or not left, f"the reserve is kept: {announced // MB} MB, {name}")
                table.promise(health.status == 200, f"the site is ready: {health.status}, {name}")
                table.promise(announced > 0, f"others can upload: nothing announced, {name}")
    table.notes.append(f"free disk: {free:,} MB; nearly full: {LEFT:,} MB beside the reserve")
    return table


def _announce(sender: Sender, account: str) -> tuple[int, str]:
    """Bytes announced until an upload is refused, and the reason."""
    announced = 0
    for number in range(50):
        response = sender.create(f"{account}-{number}.wav", FILE)
        size = FILE
        if not response.is_success:  # a smaller one may fit
            size = 200 * MB
            response = sender.create(f"{account}-{number}-small.wav", size)
        if not response.is_success:
            return announced, f"{response.status_code} {response.json().get('title', '')}"
        announced += size
    return announced, "never"


# --- Slots ------------------------------------------------------------------------------------------------------------


async def slots(site: Site) -> Table:
    table = Table(
        f"{PROGRAMS} programs of one account on {SLOTS} slots, and another account's page",
        "round",
        "page served after s",
        "words lost: page",
        "programs",
    )
    for number in range(ROUNDS):
        waited, lost, lost_by_programs = await _contend(site, number)
        table.add(number + 1, waited, lost, lost_by_programs)
        table.promise(waited < SERVED, f"another account is served within {SERVED:.0f} s: {waited:.2f} s")
        table.promise(not lost + lost_by_programs, f"no words are lost: {lost} and {lost_by_programs}")
    return table


async def _contend(site: Site, number: int) -> tuple[float, int, int]:
    token = (await asyncio.to_thread(new_tokens, site, HOG))[0]
    ticket = (await asyncio.to_thread(tickets, site, 1, OTHER))[0]
    audio = [noise(round(SECONDS / FRAME), 100 * number + seed) for seed in range(PROGRAMS + 1)]
    async with AsyncExitStack() as stack:
        programs = [await stack.enter_async_context(asr_streaming(site, token)) for _ in range(PROGRAMS)]
        await asyncio.gather(*(program.until("Ready") for program in programs))
        speaking = [asyncio.create_task(_program(*each)) for each in zip(programs, audio[1:], strict=True)]
        await asyncio.sleep(2)
        page = await stack.enter_async_context(live_socket(site, ticket))
        started = time.monotonic()
        ready = await page.start(wait=True)
        waited = time.monotonic() - started
        await page.send_audio(audio[0], FRAME)
        await page.stop()
        lost_by_programs = sum(await asyncio.gather(*speaking))
    stored = await asyncio.to_thread(stored_words, site, ready["session"])
    return waited, _missing(audio[0], stored), lost_by_programs


async def _program(program: KyutaiSocket, pcm: bytes) -> int:
    """Words lost by a program that sends audio in real time."""
    for start in range(0, len(pcm), FRAME_BYTES):
        await program.send_audio(pcm[start : start + FRAME_BYTES])
        await asyncio.sleep(FRAME)
    await program.send(type="Marker", id=1)
    await program.until("Marker", within=120)
    return _missing(pcm, program.all("Word", "text"))


def _missing(pcm: bytes, words: list[str]) -> int:
    return sum((Counter(words_of(pcm)) - Counter(words)).values())


# --- Encoders ---------------------------------------------------------------------------------------------------------


def encoders(site: Site) -> Table:
    table = Table(f"{CLIPS} clips of {CLIP // MB} MB at once by one account", "encoded", "429", "seconds", "memory MB")
    headers, visitor = logged_in(site, HOG), Visitor(site, OTHER)
    process = psutil.Process(site.web.process.pid)
    statuses: list[int] = []

    def convert(size: int = CLIP) -> None:
        types = {"Content_Type": "application/octet-stream"}
        statuses.append(request(site, "/voices/file.mp3", bytes(size), within=300, **headers, **types).status)

    convert(MB)  # loads the encoder
    statuses.clear()
    before = most = process.memory_info().rss
    threads = [threading.Thread(target=convert) for _ in range(CLIPS)]
    started = time.monotonic()
    with visitor.visiting():
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            most = max(most, process.memory_info().rss)
            time.sleep(0.05)
    table.add(statuses.count(200), statuses.count(429), time.monotonic() - started, (most - before) // MB)
    table.notes.append(str(visitor))
    table.promise(statuses.count(200) == 1, f"an account converts one clip at a time: {statuses}")
    table.notes.append("Daphne hands a body to the application as a whole, so one clip at a time is in memory")
    table.promise(most - before < 1.5 * CLIP, f"one clip at a time is in memory: {(most - before) // MB} MB")
    table.promise(not visitor.failed, f"a visitor is served: {visitor.failed} pages failed")
    return table
