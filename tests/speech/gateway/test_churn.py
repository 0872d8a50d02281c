import asyncio
import re
import signal
import time
from urllib.parse import urlsplit

import psutil
import pytest

from benchmarks.churn import MAX_CONNECTIONS, churn
from tests.support.clients.sockets import live_socket, tickets

pytestmark = pytest.mark.slow

MAX_NEW_FILES = 4
"""Files that a process may open and keep. A leak at one of the seven moments would leave more of 200 connections."""


def vitals(site, redis_server):
    """Resources that must return to their initial values; the site logs some of them on SIGUSR1."""
    time.sleep(6)  # a disconnected stream waits for its client
    site.web.process.send_signal(signal.SIGUSR1)
    time.sleep(1)
    files, pooled = zip(
        *(open_files(child.process.pid, redis_server) for child in (site.web, *site.inference)), strict=True
    )
    keys = [key for key in redis_server.client.scan_iter() if b"token-used" not in key]
    return re.findall(r"\d+ tasks, .*", site.log)[-1], files, pooled, sorted(keys)


def open_files(pid, redis_server):
    """Numbers of open files and of connections to Redis; a process keeps as many of these as it ever needed."""
    process, port = psutil.Process(pid), urlsplit(redis_server.url).port
    pooled = [
        connection for connection in process.net_connections() if connection.raddr and connection.raddr.port == port
    ]
    return process.num_fds() - len(pooled), len(pooled)


def opened(before, after):
    return [one_after - one_before for one_before, one_after in zip(before, after, strict=True)]


def test_connections_aborted_at_any_moment_leak_no_resources(redis_server, start_site):
    site = start_site(1, STT_ENGINE="checksum", STT_SLOTS="4", STREAMS_PER_USER="1000", REDIS_URL=redis_server.url)
    host, port = site.url.removeprefix("http://").split(":")
    asyncio.run(churn(host, int(port), tickets(site, 20)))
    state, files, pooled, keys = vitals(site, redis_server)
    asyncio.run(churn(host, int(port), tickets(site, 200)))
    state_after, files_after, pooled_after, keys_after = vitals(site, redis_server)
    assert (state_after, keys_after) == (state, keys)
    assert "0 streams, 0 waiting, 4 of 4 slots free" in state
    assert max(opened(files, files_after)) <= MAX_NEW_FILES
    assert max(opened(pooled, pooled_after)) <= MAX_CONNECTIONS


async def test_the_session_of_an_aborted_connection_is_ended(start_site):
    site = start_site(STT_ENGINE="checksum")
    async with live_socket(site, *tickets(site)) as socket:
        await socket.start()
        await socket.send_audio(bytes(3840 * 10))
        await socket.until("ack")
        socket.socket.transport.abort()
    await asyncio.sleep(6)
    sessions = "from speech.models import Session; print(*[s.ended_at is not None for s in Session.objects.all()])"
    assert site.shell(sessions) == "True"
