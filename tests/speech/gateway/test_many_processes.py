"""Two web and two inference processes that are connected only by Redis and PostgreSQL."""

import asyncio
import json
import re
import signal
import time
import urllib.request
from contextlib import AsyncExitStack
from functools import partial
from itertools import cycle
from urllib.parse import urlsplit

import psutil
import pytest

from benchmarks.churn import churn
from benchmarks.support.client import Client
from tests.support.clients.sockets import live_socket, stored_words, tickets
from tests.support.servers.redis import Redis
from tests.support.servers.site import running_site
from tests.support.speech.checksum_audio import noise, words_of

SLOTS = 8
"""Half of them in each inference process."""
REJECT = """
from accounts.models import User
admin = User.objects.create_superuser('admin@example.org')
User.objects.filter(email='eve@example.org').reject(admin, 'Because.')
"""
SPEED = 4
"""Multiple of real time at which the client sends audio: ten words per second."""
WORDS_PER_FAULT = 2
RECOVERY_TIMEOUT = 60.0
"""Seconds; ends a hang. A disconnected stream waits for its client for some of them."""
STATE = re.compile(r"(\d+) tasks, (.*)")
MAX_NEW_FILES = 12
"""Files that a process may open and keep. A leak at one of the seven moments would leave more of 100 connections."""


@pytest.fixture(scope="module")
def redis(tmp_path_factory):
    redis = Redis(tmp_path_factory.mktemp("redis"))
    yield redis
    redis.stop()


@pytest.fixture(scope="module")
def site(tmp_path_factory, redis, _postgres_server, migrated_database):
    database = _postgres_server.new_database(template=migrated_database)
    env = {"STT_ENGINE": "checksum", "STT_SLOTS": str(SLOTS // 2), "STREAMS_PER_USER": "1000", "REDIS_URL": redis.url}
    with running_site(tmp_path_factory.mktemp("site"), 2, web=2, DATABASE_URL=database, **env) as site:
        yield site


async def test_the_streams_of_both_web_processes_share_all_slots(site):
    async with AsyncExitStack() as sockets:
        streams = [
            await sockets.enter_async_context(live_socket(site, ticket, at=site.urls[number % 2]))
            for number, ticket in enumerate(tickets(site, SLOTS + 2))
        ]
        served, refused, patient = streams[:-2], streams[-2], streams[-1]
        for stream in served:
            await stream.start()
        await refused.send(type="start")
        await patient.send(type="start", wait=True)
        assert (await patient.until("queued"))["queue_position"] == 1
        for url in site.urls:
            await capacity_becomes(url, {"total": SLOTS, "used": SLOTS, "free": 0, "waiting": 1, "processes": 2})
        code, error = await refused.closed()
        assert (code, error["what"]) == (4000, "The server is at capacity.")
        await served[0].stop()  # in the other web process
        await patient.until("ready")
        await asyncio.gather(*(speak(site, stream, seed) for seed, stream in enumerate((patient, *served[1:]))))


async def speak(site, stream, seed):
    pcm = noise(60, seed)
    await stream.send_audio(pcm)
    done = await stream.stop()
    assert stream.words() == words_of(pcm)
    assert stored_words(site, done["session"]) == words_of(pcm)


async def test_a_rejection_ends_the_users_streams_in_every_process(site):
    async with AsyncExitStack() as sockets:
        streams = [
            await sockets.enter_async_context(live_socket(site, ticket, at=url))
            for ticket, url in zip(tickets(site, 2, "eve@example.org"), site.urls, strict=True)
        ]
        for stream in streams:
            await stream.start()
        site.shell(REJECT)
        for stream in streams:
            code, error = await stream.closed()
            assert (code, error["why"]) == (4003, "Because.")


@pytest.mark.slow
async def test_connections_aborted_at_any_moment_leak_no_resources(site, redis):
    host, port = site.url.removeprefix("http://").split(":")
    tasks = tasks_without_streams(site)
    files, keys = files_of(site, redis), keys_of(redis)
    await churn(host, int(port), tickets(site, 100))
    deadline = time.monotonic() + RECOVERY_TIMEOUT
    while tasks_without_streams(site) > tasks or not keys_of(redis) <= keys:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{state_of(site)}, not {tasks}; and {keys_of(redis) - keys}")
    assert all(after - before <= MAX_NEW_FILES for before, after in zip(files, files_of(site, redis), strict=True))


async def test_no_fault_in_mid_sentence_loses_or_duplicates_a_word(site, redis, postgres_server):
    """Every component fails once in every way; the next fault follows when new words have arrived.

    The first fault moves the stream to the second inference process if it isn't there yet, so each later one is of the
    process that has it, and the other one has had time to restart.
    """
    web = {site.url: site.web, site.urls[1]: site.more_web[0]}
    urls, unused, connected = cycle(site.urls), iter(tickets(site, 100)), []

    def next_url():
        connected.append(next(urls))
        return f"{connected[-1].replace('http', 'ws')}/ws/live/?ticket={next(unused)}"

    speaker = Client(next_url, site.url, noise(10_000), SPEED)
    speaking = asyncio.create_task(speaker.run())
    one, two = site.inference
    for cause_fault in (
        partial(restart, one, signal.SIGTERM),
        speaker.disconnect,
        speaker.reload,
        lambda: restart(web[connected[-1]], signal.SIGKILL),
        redis.client.flushall,
        partial(restart, two, signal.SIGKILL),
        partial(restart, redis, signal.SIGKILL),
        partial(restart, postgres_server, signal.SIGQUIT),
        lambda: one.process.send_signal(signal.SIGSTOP),
        lambda: one.process.send_signal(signal.SIGCONT),
        partial(restart, two, signal.SIGTERM),
        lambda: restart(web[connected[-1]], signal.SIGTERM),
    ):
        await more_words(speaker)
        await asyncio.to_thread(cause_fault)
    await more_words(speaker)
    expected = words_of(speaker.end_audio())
    async with asyncio.timeout(RECOVERY_TIMEOUT):
        await speaking
    assert stored_words(site, speaker.session) == expected
    assert speaker.observed.words.items() <= dict(enumerate(expected)).items()
    assert not speaker.observed.contradicted


def restart(child, number):
    child.process.send_signal(number)
    child.process.wait(RECOVERY_TIMEOUT)
    child.start()


async def more_words(speaker):
    before = len(speaker.observed.new_words_at)
    async with asyncio.timeout(RECOVERY_TIMEOUT):
        while len(speaker.observed.new_words_at) < before + WORDS_PER_FAULT:
            await asyncio.sleep(0.02)


async def capacity_becomes(url, wanted):
    """Wait until the web process at `url` reports these slots; processes report theirs several times a second."""
    async with asyncio.timeout(RECOVERY_TIMEOUT):
        while (reported := await asyncio.to_thread(capacity, url)) != wanted:
            assert reported.keys() == wanted.keys()


def capacity(url):
    with urllib.request.urlopen(f"{url}/api/status") as response:
        (engine,) = json.load(response)["engines"]
    return {name: engine[name] for name in ("total", "used", "free", "waiting", "processes")}


def tasks_without_streams(site):
    deadline = time.monotonic() + RECOVERY_TIMEOUT
    while (state := state_of(site))[1:] != (f"0 streams, 0 waiting, {SLOTS} of {SLOTS} slots free",):
        if time.monotonic() > deadline:
            raise TimeoutError(state)
    return int(state[0])


def state_of(site):
    """Number of tasks of the first web process, and its streams and slots, as logged on SIGUSR1."""
    before = len(STATE.findall(site.web.log))
    site.web.process.send_signal(signal.SIGUSR1)
    site.web.wait_until(lambda: len(STATE.findall(site.web.log)) > before)
    return STATE.findall(site.web.log)[-1]


def files_of(site, redis):
    """Number of open files of each process, without pooled connections to Redis and PostgreSQL."""
    servers = {urlsplit(url).port for url in (redis.url, site.env["DATABASE_URL"])}
    return [_files(psutil.Process(child.process.pid), servers) for child in (site.web, *site.inference)]


def _files(process, servers):
    pooled = [each for each in process.net_connections() if each.raddr and each.raddr.port in servers]
    return process.num_fds() - len(pooled)


def keys_of(redis):
    """Keys in Redis, except those of used tickets, which expire with the tickets."""
    return {key for key in redis.client.scan_iter() if b"token-used" not in key}
