"""Streams to an installed site while a command, for example an update, runs, and counts the words:

    python -m benchmarks.update --url http://127.0.0.1:8000 --url http://127.0.0.1:8001 --session COOKIE -- COMMAND …

The site needs `STT_ENGINE=checksum`, whose words are checksums of the audio, so that missing, duplicated or moved
samples show. Each client sends audio in real time and reconnects, to any of the URLs that listens, as through a proxy.
"""

import argparse
import asyncio
import json
import random
import socket
import statistics
import sys
import time
import urllib.request
from itertools import pairwise
from typing import Any
from urllib.parse import urlsplit

from benchmarks.chaos import FRAMES_PER_SECOND, Run, judge
from benchmarks.support.client import Client
from tests.support.speech.checksum_audio import noise

BEFORE, AFTER = 5.0, 8.0
"""Seconds of streaming before the command starts and after it ends."""
MAX_DURATION = 300
"""Seconds of audio of a stream."""


CSRF_TOKEN = "x" * 32


class Site:
    """The site as a page sees it: only a logged-in browser gets tickets."""

    def __init__(self, urls: list[str], origin: str, session: str) -> None:
        self._urls = urls
        self._headers = {
            "Cookie": f"sessionid={session}; csrftoken={CSRF_TOKEN}",
            "X-CSRFToken": CSRF_TOKEN,
            "Origin": origin,
        }

    def socket_url(self) -> str:
        """WebSocket URL with a new ticket. Raises `OSError`."""
        url = random.choice([url for url in self._urls if _listens(url)] or self._urls)
        ticket = self._request(url, "/api/tickets/", b"")["ticket"]
        return f"{url.replace('http', 'ws', 1)}/ws/live/?ticket={ticket}"

    def words(self, session: str) -> list[str]:
        path = f"/api/v1/sessions/{session}/words/?per_page=5000"
        return [word["text"] for word in self._request(self._urls[0], path, None)["results"]]

    def _request(self, url: str, path: str, data: bytes | None = None) -> Any:
        request = urllib.request.Request(f"{url}{path}", data, self._headers)
        with urllib.request.urlopen(request, timeout=3) as response:
            return json.load(response)


def _listens(url: str) -> bool:
    address = urlsplit(url)
    with socket.socket() as probe:
        return probe.connect_ex((address.hostname, address.port)) == 0


async def stream_during(site: Site, origin: str, streams: int, command: list[str]) -> tuple[Run, float]:
    """The run, and the duration of the command in seconds."""
    run = Run()
    run.clients = [
        Client(site.socket_url, origin, noise(round(MAX_DURATION * FRAMES_PER_SECOND), n)) for n in range(streams)
    ]
    tasks = [asyncio.create_task(client.run()) for client in run.clients]
    await asyncio.sleep(BEFORE)
    started = time.monotonic()
    process = await asyncio.create_subprocess_exec(*command)
    if await process.wait():
        sys.exit(f"{command[0]} ended with {process.returncode}")
    duration = time.monotonic() - started
    await asyncio.sleep(AFTER)
    run.spoken = {client: client.end_audio() for client in run.clients}
    async with asyncio.timeout(60):
        await asyncio.gather(*tasks)
    return run, duration


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", action="append", required=True, help="URL of a web process; can be repeated")
    parser.add_argument("--origin", help="SITE_URL of the site; default: the first URL")
    parser.add_argument("--session", required=True, help="cookie “sessionid” of a logged-in browser")
    parser.add_argument("--streams", type=int, default=10)
    parser.add_argument("command", nargs="+", help="the command to run")
    options = parser.parse_args()
    origin = options.origin or options.url[0]
    site = Site(options.url, origin, options.session)
    run, duration = asyncio.run(stream_during(site, origin, options.streams, options.command))
    verdict = judge(run, {client.session: site.words(client.session) for client in run.clients if client.session})
    waits = [
        max(later - earlier for earlier, later in pairwise(times))
        for times in (client.observed.new_words_at for client in run.clients)
    ]
    print(f"{options.streams} streams, {duration:.0f} s for the command\n{verdict}")
    print(f"longest wait for the next word: median {statistics.median(waits):.1f} s, maximum {max(waits):.1f} s")
    sys.exit(not verdict.is_good)


if __name__ == "__main__":
    main()
