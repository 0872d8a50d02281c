"""`manage.py inference --devices cpu,cpu`: real processes, which are restarted on their own."""

import asyncio
import json
import signal
import socket
import sys
import urllib.request
from contextlib import AsyncExitStack, ExitStack, contextmanager

import psutil
import pytest

from tests.support.clients.sockets import live_socket, tickets
from tests.support.environment import ROOT, without_own_settings
from tests.support.servers.child import Child
from tests.support.speech.checksum_audio import noise, words_of

CHECKSUM = ("--devices", "cpu,cpu", "--engine", "checksum", "--slots", "2")
STARTED = "[cpu {}] Engine Checksum (for tests), 2 slots"


def processes_of(inference: Child) -> list[psutil.Process]:
    """The processes of its devices, the newest last."""
    children = psutil.Process(inference.process.pid).children()
    return sorted(children, key=lambda process: process.create_time())


async def until(condition, within=60.0):
    async with asyncio.timeout(within):
        while not await asyncio.to_thread(condition):
            await asyncio.sleep(0.05)


@pytest.fixture
def start_inference(redis_server, tmp_path):
    """Start `manage.py inference --devices cpu,cpu` without a web process: `start_inference(**env)`."""
    with ExitStack() as stack:

        def start(**env: str) -> Child:
            settings = {"DATA_DIR": str(tmp_path / "data"), "SECRET_KEY": "secret", "REDIS_URL": redis_server.url}
            environment = without_own_settings() | settings | env
            command = [sys.executable, "manage.py", "inference", *CHECKSUM]
            child = Child(command, tmp_path / "inference.log", environment, cwd=ROOT)
            stack.callback(child._kill_group)
            return child

        yield start


@contextmanager
def taken_ports(count: int):
    """Consecutive ports in use; yields the sockets."""
    while True:
        with ExitStack() as stack:
            first = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            port = first.getsockname()[1]
            try:
                others = [stack.enter_context(socket.create_server(("127.0.0.1", port + n))) for n in range(1, count)]
            except OSError:
                continue
            yield [first, *others]
            return


@pytest.mark.slow
async def test_a_killed_process_comes_back_while_the_others_streams_go_on_and_sigterm_ends_all(
    start_site, redis_server
):
    site = start_site(0, REDIS_URL=redis_server.url, STT_ENGINE="checksum")
    inference = site.add_inference(*CHECKSUM)
    await asyncio.to_thread(site.wait_until_ready)
    await until(lambda: slots(site) == (4, 2))
    killed, other = processes_of(inference)
    async with AsyncExitStack() as sockets:
        streams = [await sockets.enter_async_context(live_socket(site, ticket)) for ticket in tickets(site, 3)]
        audio = [noise(60, seed) for seed in range(3)]
        for stream, pcm in zip(streams, audio, strict=True):
            await stream.start()
            await stream.send_audio(pcm[: len(pcm) // 2])
        killed.kill()
        for stream, pcm in zip(streams, audio, strict=True):
            await stream.send_audio(pcm[len(pcm) // 2 :])
            await stream.stop()
            assert stream.words() == words_of(pcm)
    await until(lambda: slots(site) == (4, 2))
    assert other.is_running()
    assert "ended; restarting in 1 s: killed by signal 9" in inference.log
    ours = processes_of(inference)
    await asyncio.to_thread(inference.stop)
    assert inference.process.returncode == 0
    assert not any(process.is_running() for process in [*ours, other])
    site.inference.clear()


def slots(site):
    """All slots of the site, and the processes that have them."""
    with urllib.request.urlopen(f"{site.url}/api/status") as response:
        (engine,) = json.load(response)["engines"] or [{"total": 0, "processes": 0}]
    return engine["total"], engine["processes"]


@pytest.mark.slow
async def test_a_process_that_cannot_start_is_tried_again_and_none_outlives_the_first(start_inference):
    with taken_ports(2) as (first, second):
        port = first.getsockname()[1]
        first.close()
        inference = start_inference(METRICS_PORT=str(port))
        await until(lambda: STARTED.format(1) in inference.log)
        await until(lambda: "of cpu 2 ended; restarting in 2 s: Can't serve metrics" in inference.log)
        second.close()
    await until(lambda: STARTED.format(2) in inference.log)
    assert inference.log.count(STARTED.format(1)) == 1
    processes = processes_of(inference)
    assert len(processes) == 2
    inference.kill()
    await until(lambda: not any(process.is_running() for process in processes), within=20.0)


def test_if_no_process_can_start_the_reasons_are_reported(start_inference):
    with taken_ports(2) as (first, second):
        inference = start_inference(METRICS_PORT=str(first.getsockname()[1]))
        assert inference.process.wait(60) == 1
        lines = [line for line in inference.log.splitlines() if line.startswith(("CommandError: ", "cpu "))]
        reasons = [f"Can't serve metrics at METRICS_PORT “{each.getsockname()[1]}”" for each in (first, second)]
    assert len(lines) == 2
    assert lines[0].startswith(f"CommandError: cpu 1: {reasons[0]}")
    assert lines[1].startswith(f"cpu 2: {reasons[1]}")


async def test_sigint_ends_all_processes_before_their_engines_are_up(start_inference):
    inference = start_inference()
    await until(lambda: len(processes_of(inference)) == 2)
    processes = processes_of(inference)
    await asyncio.to_thread(inference.stop, signal.SIGINT)
    assert not any(process.is_running() for process in processes)
    assert "Traceback" not in inference.log
