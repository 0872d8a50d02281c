"""The sites that are attacked, their accounts, and those who use them meanwhile."""

import asyncio
import socket
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from pathlib import Path

import psutil

from benchmarks.support.attack.results import percentile
from tests.support.clients.http import request
from tests.support.clients.sockets import live_socket, tickets
from tests.support.clients.uploads import CSRF, LOG_IN
from tests.support.servers.postgres import Postgres
from tests.support.servers.redis import Redis
from tests.support.servers.site import Site, running_site

QUIET = {"STT_ENGINE": "checksum", "LOG_LEVEL": "ERROR", "NOTIFY_USERS_OF_DECISIONS": "off"}
VISIT_INTERVAL = 0.25
PING_INTERVAL = 0.005

NEW_TOKENS = """
from accounts.models import Token, User
from accounts.scopes import scopes_of
for email in {emails!r}:
    user = User.objects.filter(email=email).first() or User.objects.create_user(email, status="approved")
    print(Token.create(user, Token.Kind.API, "a program", scopes_of("stt,tts,sessions"), None)[1])
"""


@contextmanager
def default_site(**env: str) -> Iterator[Site]:
    """One process with SQLite, as `make serve` starts it."""
    with tempfile.TemporaryDirectory() as folder, running_site(Path(folder), **{**QUIET, **env}) as site:
        yield site


@contextmanager
def large_site(**env: str) -> Iterator[Site]:
    """Two web processes and an inference process, with PostgreSQL and Redis."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        postgres = Postgres()
        stack.callback(postgres.stop)
        redis = Redis(folder)
        stack.callback(redis.stop)
        settings = {**QUIET, "DATABASE_URL": postgres.new_database(), "REDIS_URL": redis.url, **env}
        site = stack.enter_context(running_site(folder, 1, **settings))
        site.add_web()
        yield site


def new_tokens(site: Site, *emails: str) -> list[str]:
    """An API token of each of these approved accounts, which are created if needed."""
    return site.shell(NEW_TOKENS.format(emails=emails)).split()


def logged_in(site: Site, email: str) -> dict[str, str]:
    """Headers of a browser in which this account is logged in."""
    session = site.shell(LOG_IN.format(email=email))
    return {"Cookie": f"sessionid={session}; csrftoken={CSRF}", "X_CSRFToken": CSRF, "Origin": site.url}


def outside_address() -> str:
    """An address of this machine to which the limit of connections applies; empty if it has none."""
    addresses = [entry for entries in psutil.net_if_addrs().values() for entry in entries]
    found = (entry.address for entry in addresses if entry.family == socket.AF_INET)
    return next((address for address in found if not address.startswith("127.")), "")


class Visitor:
    """A logged-in user who opens the list of sessions four times a second, each time with a new connection."""

    def __init__(self, site: Site, email: str = "visitor@example.org") -> None:
        self.seconds: list[float] = []
        self.failed = 0
        self._site, self._headers = site, logged_in(site, email)
        self._has_left = threading.Event()

    @contextmanager
    def visiting(self) -> Iterator[None]:
        thread = threading.Thread(target=self._visit)
        thread.start()
        try:
            yield
        finally:
            self._has_left.set()
            thread.join()

    def _visit(self) -> None:
        while not self._has_left.wait(VISIT_INTERVAL):
            started = time.monotonic()
            try:
                self.failed += request(self._site, "/sessions/", **self._headers).status != 200
            except OSError:
                self.failed += 1
            self.seconds.append(time.monotonic() - started)

    def __str__(self) -> str:
        slow = percentile(self.seconds, 0.95)
        return f"a visitor meanwhile: {len(self.seconds)} pages, {self.failed} failed, p95 {slow:.2f} s"


class Pings:
    """How long the event loop of a web process takes to answer a ping, which needs nothing but the loop."""

    def __init__(self) -> None:
        self.longest = 0.0
        """Seconds; set it to 0 before what is to be measured."""

    @asynccontextmanager
    async def of(self, site: Site) -> AsyncIterator[None]:
        async with live_socket(site, tickets(site, email="pings@example.org")[0], ping_interval=None) as client:
            await client.start()
            task = asyncio.create_task(self._ping(client.socket.ping))
            try:
                yield
            finally:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task

    async def _ping(self, ping: Callable[[], object]) -> None:
        while True:
            started = time.monotonic()
            await (await ping())  # type: ignore[misc]
            self.longest = max(self.longest, time.monotonic() - started)
            await asyncio.sleep(PING_INTERVAL)


def cpu_seconds(site: Site) -> float:
    """Of the first web process."""
    return float(sum(psutil.Process(site.web.process.pid).cpu_times()[:2]))
