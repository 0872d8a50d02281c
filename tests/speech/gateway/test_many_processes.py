"""Two web and two inference processes that know of each other by Redis and PostgreSQL alone."""

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
"""Times faster than it would be played, the speaker among things that die; a second has 10 words then."""
FEW_WORDS = 4
COMES_BACK_WITHIN = 60.0
"""Seconds, a deadline that ends a hang; a speaker who is cut off is waited for a while."""
STATE = re.compile(r"(\d+) tasks, (.*)")
FEW = 12
"""Files that a process may open once and keep. If one of the seven kinds of the 100 leaked there would be more."""


@pytest.fixture(scope="module")
def redis(tmp_path_factory):
    redis = Redis(tmp_path_factory.mktemp("redis"))
    yield redis
    redis.stop()


@pytest.fixture(scope="module")
def site(tmp_path_factory, redis, _postgres_server):
    env = {"STT_ENGINE": "checksum", "STT_SLOTS": str(SLOTS // 2), "STREAMS_PER_USER": "1000", "REDIS_URL": redis.url}
    with running_site(tmp_path_factory.mktemp("site"), 2, DATABASE_URL=_postgres_server.new_database(), **env) as site:
        site.add_web()
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
        assert (await refused.closed())[0] == 4000
        await patient.send(type="start", wait=True)
        assert (await patient.until("queued"))["queue_position"] == 1
        for url in site.urls:
            await capacity_becomes(url, {"total": SLOTS, "used": SLOTS, "free": 0, "waiting": 1, "processes": 2})
        await served[0].stop()  # in the other web process
        await patient.until("ready")
        await asyncio.gather(*(speak(site, stream, seed) for seed, stream in enumerate((patient, *served[1:]))))


async def speak(site, stream, seed):
    pcm = noise(60, seed)
    await stream.say(pcm)
    done = await stream.stop()
    assert stream.words() == words_of(pcm)
    assert stored_words(site, done["session"]) == words_of(pcm)


async def test_a_rejection_ends_streams_wherever_they_are(site):
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


async def test_streams_cut_off_at_any_moment_give_everything_back(site, redis):
    host, port = site.url.removeprefix("http://").split(":")
    tasks = tasks_when_nobody_speaks(site)
    files, keys = files_of(site, redis), keys_of(redis)
    await churn(host, int(port), tickets(site, 100))
    deadline = time.monotonic() + COMES_BACK_WITHIN
    while tasks_when_nobody_speaks(site) > tasks or not keys_of(redis) <= keys:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{state_of(site)}, not {tasks}; and {keys_of(redis) - keys}")
    assert all(after - before <= FEW for before, after in zip(files, files_of(site, redis), strict=True))


async def test_whatever_dies_in_mid_sentence_every_word_comes_once(site, redis, postgres_server):
    """Each part, in each way, once; what happens next happens when new words have come."""
    urls, unused = cycle(site.urls), iter(tickets(site, 100))
    speaker = Client(
        lambda: f"{next(urls).replace('http', 'ws')}/ws/live/?ticket={next(unused)}", site.url, noise(10_000), SPEED
    )
    speaking = asyncio.create_task(speaker.run())
    for happen in (
        speaker.disconnect,
        speaker.reload,
        *(partial(restart, child, signal.SIGKILL) for child in site.inference),
        *(partial(restart, child, signal.SIGTERM) for child in site.inference),
        lambda: site.inference[0].process.send_signal(signal.SIGSTOP),
        lambda: site.inference[0].process.send_signal(signal.SIGCONT),
        partial(restart, redis, signal.SIGKILL),
        redis.client.flushall,
        partial(restart, postgres_server, signal.SIGQUIT),
        *(partial(restart, child, signal.SIGKILL) for child in (site.web, *site.more_web)),
        partial(restart, site.web, signal.SIGTERM),
    ):
        await more_words(speaker)
        await asyncio.to_thread(happen)
    await more_words(speaker)
    said = words_of(speaker.end_audio())
    async with asyncio.timeout(COMES_BACK_WITHIN):
        await speaking
    site.close_shell()  # its connection to the database is broken, as all were
    assert stored_words(site, speaker.session) == said
    assert speaker.observed.words.items() <= dict(enumerate(said)).items()
    assert not speaker.observed.contradicted


def restart(child, number):
    child.process.send_signal(number)
    child.process.wait(COMES_BACK_WITHIN)
    child.start()


async def more_words(speaker):
    before = len(speaker.observed.new_words_at)
    async with asyncio.timeout(COMES_BACK_WITHIN):
        while len(speaker.observed.new_words_at) < before + FEW_WORDS:
            await asyncio.sleep(0.02)


async def capacity_becomes(url, wanted):
    """The processes tell each other several times a second."""
    async with asyncio.timeout(COMES_BACK_WITHIN):
        while (told := await asyncio.to_thread(capacity, url)) != wanted:
            assert told.keys() == wanted.keys()


def capacity(url):
    with urllib.request.urlopen(f"{url}/api/status") as answer:
        (engine,) = json.load(answer)["engines"]
    return {name: engine[name] for name in ("total", "used", "free", "waiting", "processes")}


def tasks_when_nobody_speaks(site):
    deadline = time.monotonic() + COMES_BACK_WITHIN
    while (state := state_of(site))[1:] != (f"0 streams, 0 waiting, {SLOTS} of {SLOTS} slots free",):
        if time.monotonic() > deadline:
            raise TimeoutError(state)
    return int(state[0])


def state_of(site):
    """What its first web process answers to the signal that asks for it: its tasks, and the rest."""
    asked = len(STATE.findall(site.web.log))
    site.web.process.send_signal(signal.SIGUSR1)
    site.web.wait_until(lambda: len(STATE.findall(site.web.log)) > asked)
    return STATE.findall(site.web.log)[-1]


def files_of(site, redis):
    """How many each process has open, without its pooled connections to Redis and PostgreSQL."""
    servers = {urlsplit(url).port for url in (redis.url, site.env["DATABASE_URL"])}
    return [_files(psutil.Process(child.process.pid), servers) for child in (site.web, *site.inference)]


def _files(process, servers):
    pooled = [each for each in process.net_connections() if each.raddr and each.raddr.port in servers]
    return process.num_fds() - len(pooled)


def keys_of(redis):
    """All but the marks of used tickets, which go when the tickets expire."""
    return {key for key in redis.client.scan_iter() if b"token-used" not in key}
