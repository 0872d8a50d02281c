"""Two web and two inference processes that know of each other by Redis and PostgreSQL alone."""

import json
import re
import signal
import time
import urllib.request
from contextlib import AsyncExitStack
from urllib.parse import urlsplit

import psutil
import pytest

from benchmarks.churn import churn
from tests.inference.speech_like import noise, words_of
from tests.support.redis import Redis
from tests.support.site import running_site
from tests.support.sockets import live_socket, stored_words, tickets

SLOTS = 2
"""One in each inference process."""
REJECT = """
from accounts.models import User
admin = User.objects.create_superuser('admin@example.org')
User.objects.filter(email='eve@example.org').reject(admin, 'Because.')
"""
COMES_BACK_WITHIN = 60.0
"""Seconds, a deadline that ends a hang; a speaker who is cut off is waited for a while."""
STATE = re.compile(r"(\d+) tasks, (.*)")
FEW = 4
"""Files that a process may open and keep. If one of the seven kinds of the 200 leaked there would be more."""


@pytest.fixture(scope="module")
def redis(tmp_path_factory):
    redis = Redis(tmp_path_factory.mktemp("redis"))
    yield redis
    redis.stop()


@pytest.fixture(scope="module")
def site(tmp_path_factory, redis, _postgres_server):
    env = {"STT_ENGINE": "checksum", "STT_SLOTS": "1", "STREAMS_PER_USER": "1000", "REDIS_URL": redis.url}
    with running_site(tmp_path_factory.mktemp("site"), 2, DATABASE_URL=_postgres_server.new_database(), **env) as site:
        site.add_web()
        yield site


async def test_the_streams_of_both_web_processes_share_all_slots(site):
    async with AsyncExitStack() as sockets:
        first, second, third, fourth = [
            await sockets.enter_async_context(live_socket(site, ticket, at=url))
            for ticket, url in zip(tickets(site, 4), 2 * site.urls, strict=True)
        ]
        await first.start()
        await second.start()
        await third.send(type="start")
        assert (await third.closed())[0] == 4000
        await fourth.send(type="start", wait=True)
        assert (await fourth.until("queued"))["place"] == 1
        for url in site.urls:
            assert capacity(url) == {"total": SLOTS, "used": SLOTS, "free": 0, "waiting": 1, "processes": 2}
        for socket, seed in ((first, 1), (fourth, 2), (second, 3)):
            if socket is fourth:
                await socket.until("ready")  # in one web process, as soon as a slot is free in the other
            await socket.say(noise(60, seed))
            done = await socket.stop()
            assert socket.words() == words_of(noise(60, seed))
            assert stored_words(site, done["session"]) == words_of(noise(60, seed))


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
    await churn(host, int(port), tickets(site, 20))  # what is made once is made then
    tasks = tasks_when_nobody_speaks(site)
    files, keys = files_of(site, redis), keys_of(redis)
    await churn(host, int(port), tickets(site, 200))
    deadline = time.monotonic() + COMES_BACK_WITHIN
    while tasks_when_nobody_speaks(site) > tasks or not keys_of(redis) <= keys:
        assert time.monotonic() < deadline, f"{state_of(site)}, not {tasks}; and {keys_of(redis) - keys}"
    assert all(after - before <= FEW for before, after in zip(files, files_of(site, redis), strict=True))


def capacity(url):
    with urllib.request.urlopen(f"{url}/api/status") as answer:
        (engine,) = json.load(answer)["engines"]
    return {name: engine[name] for name in ("total", "used", "free", "waiting", "processes")}


def tasks_when_nobody_speaks(site):
    deadline = time.monotonic() + COMES_BACK_WITHIN
    while not (state := state_of(site))[1:] == ("0 streams, 0 waiting, 2 of 2 slots free",):
        assert time.monotonic() < deadline, state
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
