"""Connects and aborts at random moments, and checks for leaked resources: `python -m benchmarks.churn`.

Real Daphne, Redis and `manage.py inference`. Compares slots, asyncio tasks, open files, threads and memory of the
processes, and keys in Redis, before and after.
"""

import argparse
import asyncio
import json
import random
import time
from collections import Counter

import websockets

from benchmarks.support.processes import site_processes, tickets
from benchmarks.support.vitals import table, vitals

MAX_CONNECTIONS = 16
MOMENTS = ("connecting", "opened", "started", "ready", "speaking", "paused", "stopping")


async def churn(host: str, port: int, tickets: list[str]) -> Counter[str]:
    """Open one connection per ticket and abort each at a random moment. Returns their number by outcome."""
    limit = asyncio.Semaphore(MAX_CONNECTIONS)
    outcomes: Counter[str] = Counter()

    async def cycle(ticket: str) -> None:
        async with limit:
            moment = random.choice(MOMENTS)
            outcomes[await _connect_and_abort(host, port, ticket, moment)] += 1

    await asyncio.gather(*map(cycle, tickets))
    return outcomes


async def _connect_and_abort(host: str, port: int, ticket: str, moment: str) -> str:
    if moment == "connecting":
        _, writer = await asyncio.open_connection(host, port)
        writer.write(f"GET /ws/live/?ticket={ticket} HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: webso".encode())
        await asyncio.sleep(random.random() / 20)
        writer.transport.abort()
        return moment
    url = f"ws://{host}:{port}/ws/live/?ticket={ticket}"
    socket = await websockets.connect(url, origin=f"http://{host}:{port}", compression=None)
    try:
        return await _advance_to(socket, moment)
    except websockets.ConnectionClosed as closed:
        return f"closed {closed.rcvd.code if closed.rcvd else ''}"
    finally:
        socket.transport.abort()


async def _advance_to(socket: websockets.ClientConnection, moment: str) -> str:
    if moment == "opened":
        return moment
    await socket.send(json.dumps({"type": "start", "wait": random.random() < 0.5}))
    if moment == "started":
        await asyncio.sleep(random.random() / 20)
        return moment
    while json.loads(await socket.recv())["type"] != "ready":
        pass
    if moment == "ready":
        return moment
    for _ in range(random.randrange(1, 20)):
        await socket.send(bytes(3840))
    if moment != "speaking":
        await socket.send(json.dumps({"type": "pause" if moment == "paused" else "stop"}))
    await asyncio.sleep(random.random() / 20)
    return moment


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cycles", type=int, default=2_000, help="number of connections")
    options = parser.parse_args()
    with site_processes("checksum", slots=8, LOG_LEVEL="INFO") as (port, running):
        asyncio.run(churn("127.0.0.1", port, tickets(running.env, 100)))  # warm up
        time.sleep(10)
        before = vitals(running)
        started = time.monotonic()
        outcomes = asyncio.run(churn("127.0.0.1", port, tickets(running.env, options.cycles)))
        duration = time.monotonic() - started
        time.sleep(10)
        after = vitals(running)
    print(f"{options.cycles} cycles in {duration:.0f} s: {dict(outcomes)}")
    print(table(before=before, after=after))


if __name__ == "__main__":
    main()
