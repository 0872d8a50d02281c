"""Sockets that are opened while their account is rejected, or their token revoked."""

import asyncio
import json
import math
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http.client import HTTPConnection
from urllib.parse import urlsplit

import websockets

from benchmarks.support.attack.results import Table, percentile
from benchmarks.support.attack.sites import default_site, large_site, new_tokens
from tests.support.clients.sockets import tickets
from tests.support.servers.site import Site

ACCOUNTS = 50
"""Of each round; each opens a page's socket at one web process and a program's at another."""
SPREAD = 1.5
"""Seconds in which the sockets of a round are opened, and its accounts rejected."""
SURVIVAL = 5.0
"""Seconds after the last rejection."""
NOTIFIED, SWEPT = 1.0, 4.0
"""Seconds until a socket is closed: with a notice, and without (the sweep's 2 s, its query, and this busy machine)."""

CHANGE = """
import time
from accounts.models import Token, User
for email in {emails!r}:
    time.sleep({pause})
    {change}
    print("AT", email, time.time())
"""
REJECT = "User.objects.get(email=email).reject(None)"
DEACTIVATE = "User.objects.filter(email=email).update(is_active=False)"
REVOKE = "for token in Token.objects.filter(user__email=email): token.revoke()"
DECIDED_AT = """
from accounts.models import DecisionEntry
for email, at in DecisionEntry.objects.filter(email__in={emails!r}, status="rejected").values_list("email", "at"):
    print(email, at.timestamp())
"""
Change = Callable[[Site, list[str]], dict[str, float]]
"""Rejects these accounts. Returns when each was rejected, in seconds since 1970."""


@dataclass
class Opening:
    email: str
    opened_at: float = math.inf
    closed_at: float = math.inf
    """Seconds since 1970; infinity for what did not happen."""


def run() -> Iterator[Table]:
    table = Table(
        "sockets and rejections", "change", "set-up", "opened", "refused", "survivors", "to close: p50", "p95", "max s"
    )
    slots, streams = {"STT_SLOTS": str(2 * ACCOUNTS + 10)}, {"STREAMS_PER_USER": "10"}
    with large_site(**slots, **streams) as site:
        _race(table, "User.reject()", "two web processes", site, 5, partial(_in_shell, REJECT), NOTIFIED)
        _race(table, "update(is_active=False)", "two web processes", site, 2, partial(_in_shell, DEACTIVATE), SWEPT)
        revoke = partial(_in_shell, REVOKE)
        _race(table, "token revoked", "two web processes", site, 2, revoke, NOTIFIED, with_pages=False)
    with default_site(TTS_ENGINE="tones", **slots, **streams) as site, _streamed_response(site):
        _race(table, "manage.py reject", "default, no Redis", site, 2, _by_command, SWEPT)
        _race(table, "token revoked", "default, no Redis", site, 1, revoke, SWEPT, with_pages=False)
    yield table


@contextmanager
def _streamed_response(site: Site) -> Iterator[None]:
    """What is open first starts the sweep, which must not depend on it."""
    headers = {"Authorization": f"Bearer {new_tokens(site, 'listener@example.org')[0]}"}
    connection = HTTPConnection(urlsplit(site.url).netloc)
    body = json.dumps({"input": "word " * 10_000, "response_format": "pcm"})
    connection.request("POST", "/v1/audio/speech", body, {**headers, "Content-Type": "application/json"})
    assert connection.getresponse().status == 200
    yield
    connection.close()


def _race(
    table: Table, name: str, setup: str, site: Site, rounds: int, change: Change, limit: float, with_pages: bool = True
) -> None:
    openings, waits = list[Opening](), list[float]()
    for number in range(rounds):
        emails = [f"{abs(hash((name, setup)))}-{number}-{n}@example.org" for n in range(ACCOUNTS)]
        done, changed_at = asyncio.run(_round(site, emails, change, with_pages))
        openings += done
        waits += [each.closed_at - max(each.opened_at, changed_at[each.email]) for each in done if _is_closed(each)]
    survivors = sum(each.opened_at < math.inf and each.closed_at == math.inf for each in openings)
    refused = sum(each.opened_at == math.inf for each in openings)
    slowest = max(waits, default=math.nan)
    table.add(
        name,
        setup,
        len(openings) - refused,
        refused,
        survivors,
        percentile(waits, 0.5),
        percentile(waits, 0.95),
        slowest,
    )
    table.promise(not survivors, f"no socket survives: {survivors} of {len(openings)} did ({name}, {setup})")
    table.promise(slowest <= limit, f"sockets are closed within {limit:.0f} s: {slowest:.2f} s ({name}, {setup})")


def _is_closed(opening: Opening) -> bool:
    return opening.opened_at < math.inf and opening.closed_at < math.inf


async def _round(
    site: Site, emails: list[str], change: Change, with_pages: bool
) -> tuple[list[Opening], dict[str, float]]:
    keys = dict(zip(emails, await asyncio.to_thread(new_tokens, site, *emails), strict=True))
    page_keys = {email: tickets(site, email=email)[0] for email in emails} if with_pages else {}
    openings, tasks = list[Opening](), list[asyncio.Task[None]]()
    for number, email in enumerate(emails):
        urls = [site.urls[(number + n) % len(site.urls)].replace("http", "ws") for n in (0, 1)]
        second = f"{urls[1]}/ws/live/?ticket={page_keys[email]}" if with_pages else f"{urls[1]}/ws/pcm"
        for url in (f"{urls[0]}/ws/pcm", second):
            openings.append(Opening(email))
            tasks.append(asyncio.create_task(_open(openings[-1], url, site.url, keys[email])))
    changed_at = await asyncio.to_thread(change, site, emails)
    await asyncio.sleep(SPREAD + SURVIVAL)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return openings, changed_at


async def _open(opening: Opening, url: str, origin: str, token: str) -> None:
    await asyncio.sleep(random.uniform(0, SPREAD))
    is_page = "ticket" in url
    headers = {} if is_page else {"Authorization": f"Bearer {token}"}
    try:
        async with websockets.connect(url, origin=origin if is_page else None, additional_headers=headers) as socket:
            opening.opened_at = time.time()
            if is_page:
                await socket.send(json.dumps({"type": "start"}))
            await socket.wait_closed()
            opening.closed_at = time.time()
    except (websockets.WebSocketException, OSError):
        if opening.opened_at < math.inf:
            opening.closed_at = time.time()


def _in_shell(change: str, site: Site, emails: list[str]) -> dict[str, float]:
    printed = site.shell(CHANGE.format(emails=emails, change=change, pause=SPREAD / len(emails)))
    lines = [line.split() for line in printed.splitlines() if line.startswith("AT ")]
    return {email: float(at) for _, email, at in lines}


def _by_command(site: Site, emails: list[str]) -> dict[str, float]:
    site.manage("reject", *emails)
    return {email: float(at) for email, at in map(str.split, site.shell(DECIDED_AT.format(emails=emails)).splitlines())}
