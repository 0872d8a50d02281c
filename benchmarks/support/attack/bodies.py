"""Bodies of 600 MB, whose clients ignore the response."""

import fcntl
import select
import socket
import struct
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from urllib.parse import urlsplit

import psutil

from benchmarks.support.attack.results import Table
from benchmarks.support.attack.sites import Visitor, default_site, new_tokens
from tests.support.servers.site import Site

MB = 1_000_000
SIZE = 600 * MB
TAKEN = 16 * MB
"""Bytes that the kernels take on both sides, whatever the site reads."""
WRITTEN = 2 * MB
"""Bytes that the site writes for a body that it rejects: what may be sent without credentials, and its own."""
PATIENCE = 60.0
AT_ONCE = 8
SIOCOUTQ = 0x5411
"""Linux: bytes that the other side has not taken yet."""

LOGIN = "/accounts/login/"
PART = "/api/v1/uploads/6f1c9b62-8f5e-4d0e-9f0a-0d6d8f6f9e11/content/"
LIMITS = {LOGIN: 0, "/api/v1/me/": 0, "/v1/listen": 200 << 20, "/voices/file.mp3": 100 * MB, PART: 8 << 20}
"""Bytes that the site accepts with valid credentials, beyond what it accepts of any client."""


@dataclass(frozen=True)
class Flood:
    status: str
    """Of the response; empty if none came."""
    taken: int
    """Bytes of the body that reached the server's machine."""


def run() -> Iterator[Table]:
    with tempfile.TemporaryDirectory() as temporary, default_site(TMPDIR=temporary) as site:
        token = new_tokens(site, "flood@example.org")[0]
        yield one_by_one(site, token, Path(temporary))
        yield at_once(site)


def one_by_one(site: Site, token: str, temporary: Path) -> Table:
    table = Table(
        "bodies of 600 MB",
        "path",
        "credentials",
        "transfer",
        "status",
        "taken MB",
        "written MB",
        "left MB",
        "memory MB",
    )
    process = psutil.Process(site.web.process.pid)
    for path, is_known in product(LIMITS, (False, True)):
        for is_chunked in (False, True):
            before = process.io_counters().write_chars
            with _memory_of(process) as memory:
                flood = send(site, path, token if is_known else "", is_chunked)
            written, left = process.io_counters().write_chars - before, _stored(process, temporary)
            credentials, transfer = "valid" if is_known else "none", "chunked" if is_chunked else "length"
            figures = [f"{size / MB:.1f}" for size in (flood.taken, written, left, memory[-1] - memory[0])]
            table.add(path[:25], credentials, transfer, flood.status or "none", *figures)
            accepted = LIMITS[path] if is_known and is_chunked else 0
            found = f"{path}, {credentials}, {transfer}: taken {figures[0]}, written {figures[1]}, left {figures[2]} MB"
            is_small = flood.taken < accepted + TAKEN and written < 1.1 * accepted + WRITTEN and left < WRITTEN
            table.promise(is_small, f"a large body is not read: {found}")
            table.promise(flood.status in ("401", "403", "413"), f"the client sees the reason: {found}, {flood.status}")
    return table


def at_once(site: Site) -> Table:
    table = Table(
        f"{AT_ONCE} bodies of 600 MB at once, again and again for 10 s", "path", "sent", "seen status", "taken MB"
    )
    visitor, floods = Visitor(site), list[Flood]()
    ends_at = time.monotonic() + 10

    def attack() -> None:
        while time.monotonic() < ends_at:
            floods.append(send(site, LOGIN, "", is_chunked=True))

    threads = [threading.Thread(target=attack) for _ in range(AT_ONCE)]
    with visitor.visiting():
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    seen = sum(flood.status == "413" for flood in floods)
    table.add(LOGIN, len(floods), seen, f"{sum(flood.taken for flood in floods) / MB:.0f}")
    table.notes.append(str(visitor))
    table.promise(not visitor.failed, f"a visitor is served: {visitor.failed} pages failed")
    return table


def send(site: Site, path: str, token: str, is_chunked: bool) -> Flood:
    address = urlsplit(site.url)
    lines = [f"{'PUT' if path == PART else 'POST'} {path} HTTP/1.1", f"Host: {address.netloc}"]
    lines += ["Content-Type: application/octet-stream"] + ([f"Authorization: Bearer {token}"] if token else [])
    lines += ["Transfer-Encoding: chunked" if is_chunked else f"Content-Length: {SIZE}"]
    head = "\r\n".join([*lines, "", ""]).encode()
    block = b"%x\r\n%b\r\n" % (MB, bytes(MB)) if is_chunked else bytes(MB)
    with socket.create_connection((address.hostname, address.port)) as client:
        client.sendall(head)
        client.setblocking(False)
        return _pour(client, block)


def _pour(client: socket.socket, block: bytes) -> Flood:
    """Send until everything is sent, or the server ends the connection. Reads the response, but does not stop."""
    sent = taken = 0
    response, has_ended, deadline = b"", False, time.monotonic() + PATIENCE
    try:
        while sent < SIZE and time.monotonic() < deadline:
            readable, writable, _ = select.select([] if has_ended else [client], [client], [], 1)
            if readable:
                data = client.recv(65536)
                response, has_ended = response + data, not data
            if writable:
                sent += client.send(memoryview(block)[sent % len(block) :])
            taken = max(taken, sent - _not_taken(client))
        if not response:
            client.settimeout(PATIENCE)
            response = client.recv(65536)
    except OSError:
        pass
    return Flood(response.split(b" ")[1].decode() if response else "", taken)


def _not_taken(client: socket.socket) -> int:
    return int(struct.unpack("i", fcntl.ioctl(client, SIOCOUTQ, bytes(4)))[0])


def _stored(process: psutil.Process, temporary: Path) -> int:
    """Bytes of temporary files, also of those that are deleted and open."""
    deleted = 0
    for link in Path(f"/proc/{process.pid}/fd").iterdir():
        try:
            deleted += link.stat().st_size if "(deleted)" in str(link.readlink()) else 0
        except OSError:  # closed meanwhile
            continue
    return deleted + sum(path.stat().st_size for path in temporary.rglob("*") if path.is_file())


@contextmanager
def _memory_of(process: psutil.Process) -> Iterator[list[int]]:
    """Its memory in bytes at the beginning, and the most until the end."""
    memory, stop = [process.memory_info().rss], threading.Event()
    most = memory[0]

    def measure() -> None:
        nonlocal most
        while not stop.wait(0.02):
            most = max(most, process.memory_info().rss)

    thread = threading.Thread(target=measure)
    thread.start()
    try:
        yield memory
    finally:
        stop.set()
        thread.join()
        memory.append(most)
