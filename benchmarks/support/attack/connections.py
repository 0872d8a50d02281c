"""Connections that send nothing, or a byte each second."""

import asyncio
import math
import time
from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import urlsplit

import psutil

from benchmarks.support.attack.results import Table
from benchmarks.support.attack.sites import Visitor, default_site, outside_address
from tests.support.clients.sockets import tickets
from tests.support.servers.site import Site

EACH = 40
"""Connections of each kind."""
DURATION = 85.0
ENDED = 75.0
"""Seconds after which all have ended: Daphne pings after 20 s, waits 30 s for the answer, and 20 s for its close."""
FROM_ONE_ADDRESS = 300
LIMIT = 100
"""`CONNECTIONS_PER_ADDRESS` of the site."""
PAGE_P95 = 1.0

FORM = b"POST /accounts/login/ HTTP/1.1\r\nHost: 127.0.0.1\r\n"
KINDS: dict[str, tuple[bytes, bytes]] = {
    "silent": (b"", b""),
    "header, a byte a second": (b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ", b"a"),
    "header, a line a second": (b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n", b"X: a\r\n"),
    "body, silent": (FORM + b"Content-Length: 1000000\r\n\r\n", b""),
    "body, a byte a second": (FORM + b"Content-Length: 1000000\r\n\r\n", b"a"),
    "body, a chunk a second": (FORM + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\na\r\n"),
    "WebSocket handshake, a byte a second": (
        b"GET /ws/live/ HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nX: ",
        b"a",
    ),
}
"""What each sends first, and then every second."""
FRAME = b"\x81\xfe\x10\x00mask"
"""The beginning of a WebSocket frame of 4,096 bytes."""
STARTED = '{"type":"start"}'


def run() -> Iterator[Table]:
    address = outside_address()
    env = {"HOST": "0.0.0.0" if address else "127.0.0.1", "STT_SLOTS": str(2 * EACH), "STREAMS_PER_USER": "100"}
    with default_site(**env) as site:
        yield time_limits(site)
        if address:
            yield limit_of_an_address(site, address)


def time_limits(site: Site) -> Table:
    table = Table(
        "slow connections from the address of a proxy", "kind", "opened", "open after 30 s", "60 s", "last end s"
    )
    visitor = Visitor(site)
    with visitor.visiting():
        ends = asyncio.run(_attack(site))
    for kind, seconds in ends.items():
        after = [sum(end > limit for end in seconds) for limit in (30, 60)]
        table.add(kind, len(seconds), *after, max(seconds) if max(seconds) < math.inf else "never")
        open_then = sum(end > ENDED for end in seconds)
        table.promise(not open_then, f"slow connections end: {open_then} ({kind}) were open after {ENDED:.0f} s")
    _judge(table, visitor)
    return table


def limit_of_an_address(site: Site, address: str) -> Table:
    table = Table("silent connections from one address", "address", "opened", "held by the site after 3 s")
    visitor = Visitor(site)
    with visitor.visiting():
        held = asyncio.run(_hold(site, address))
    table.add("one that is no proxy", FROM_ONE_ADDRESS, held)
    table.promise(held <= LIMIT, f"an address has at most {LIMIT} connections: it had {held}")
    _judge(table, visitor)
    return table


def _judge(table: Table, visitor: Visitor) -> None:
    table.notes.append(str(visitor))
    table.promise(not visitor.failed, f"a visitor is served: {visitor.failed} pages failed")
    slow = sorted(visitor.seconds)[int(0.95 * len(visitor.seconds))]
    table.promise(slow < PAGE_P95, f"a visitor is served within {PAGE_P95:.0f} s: p95 was {slow:.2f} s")


async def _attack(site: Site) -> dict[str, list[float]]:
    """Seconds until the server ended each connection, by kind."""
    host, port = urlsplit(site.url).hostname or "", urlsplit(site.url).port or 0
    kinds: dict[str, list[tuple[bytes, ...]]] = {kind: [plan] * EACH for kind, plan in KINDS.items()}
    handshakes = [_handshake(site, ticket) for ticket in tickets(site, 2 * EACH)]
    kinds["WebSocket frame, a byte a second"] = [(first, b"a", _frame(STARTED) + FRAME) for first in handshakes[:EACH]]
    kinds["WebSocket, answers no ping"] = [(first, b"", _frame(STARTED)) for first in handshakes[EACH:]]
    async with asyncio.TaskGroup() as tasks:
        running = {
            kind: [tasks.create_task(_connect(host, port, DURATION, *plan)) for plan in plans]
            for kind, plans in kinds.items()
        }
    return {kind: [task.result() for task in each] for kind, each in running.items()}


async def _hold(site: Site, address: str) -> int:
    """Connections that the site has accepted and not closed; the kernel has others, which it has not accepted yet."""
    port = urlsplit(site.url).port or 0
    async with asyncio.TaskGroup() as tasks:
        for _ in range(FROM_ONE_ADDRESS):
            tasks.create_task(_connect(address, port, 5.0))
        await asyncio.sleep(3)
        sockets = psutil.Process(site.web.process.pid).net_connections("tcp")
    return sum(each.status == psutil.CONN_ESTABLISHED and each.raddr[0] == address for each in sockets)


async def _connect(
    host: str, port: int, duration: float, first: bytes = b"", drip: bytes = b"", after_response: bytes = b""
) -> float:
    """Seconds until the server ends the connection; infinity if it does not."""
    try:
        reader, writer = await asyncio.open_connection(host, port)
    except OSError:
        return 0.0
    started = time.monotonic()
    writer.write(first)
    if after_response:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(after_response)
    ended = asyncio.create_task(_end_of(reader))
    while time.monotonic() < started + duration:
        await asyncio.wait({ended}, timeout=1)
        if ended.done():
            writer.close()
            return time.monotonic() - started
        writer.write(drip)
    ended.cancel()
    writer.transport.abort()
    return math.inf


async def _end_of(reader: asyncio.StreamReader) -> None:
    with suppress(OSError):
        while await reader.read(10_000):
            pass


def _handshake(site: Site, ticket: str) -> bytes:
    lines = [
        f"GET /ws/live/?ticket={ticket} HTTP/1.1",
        f"Host: {urlsplit(site.url).netloc}",
        f"Origin: {site.url}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
    ]
    return "\r\n".join([*lines, "", ""]).encode()


def _frame(text: str) -> bytes:
    """A WebSocket frame with a short text, with a mask of zeros."""
    return bytes([0x81, 0x80 | len(text)]) + bytes(4) + text.encode()
