"""Speaks to an installed site while it is updated, or whatever else is done to it, and counts the words:

    python -m benchmarks.update --url http://127.0.0.1:8000 --url http://127.0.0.1:8001 --token TOKEN -- COMMAND …

The site has `STT_ENGINE=checksum`, whose words are checksums of the audio, so that a sample that is missing, doubled or
moved shows. Each stream is spoken in real time by a client that comes back, to any of the URLs that listens, as through
a proxy.
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

from benchmarks.chaos import FRAMES_A_SECOND, Run, judge
from benchmarks.support.speaker import Speaker
from tests.support.speech.checksum_audio import noise

BEFORE, AFTER = 5.0, 8.0
"""Seconds that are spoken before the command begins, and after its end."""
LONGEST = 300
"""Seconds."""


class Site:
    def __init__(self, urls: list[str], token: str) -> None:
        self._urls = urls
        self._token = token

    def socket(self) -> str:
        """The address of a socket, with a new ticket. Raises `OSError`."""
        url = random.choice([url for url in self._urls if _listens(url)] or self._urls)
        ticket = self._ask(url, "/api/tickets/", b"")["ticket"]
        return f"{url.replace('http', 'ws', 1)}/ws/live/?ticket={ticket}"

    def words(self, session: str) -> list[str]:
        return [word["text"] for word in self._ask(self._urls[0], f"/api/sessions/{session}/words/0/")["words"]]

    def _ask(self, url: str, path: str, data: bytes | None = None) -> Any:
        request = urllib.request.Request(f"{url}{path}", data, {"Authorization": f"Bearer {self._token}"})
        with urllib.request.urlopen(request, timeout=3) as answer:
            return json.load(answer)


def _listens(url: str) -> bool:
    address = urlsplit(url)
    with socket.socket() as probe:
        return probe.connect_ex((address.hostname, address.port)) == 0


async def speak_during(site: Site, origin: str, streams: int, command: list[str]) -> tuple[Run, float]:
    """What was spoken and heard, and how many seconds the command took."""
    run = Run()
    run.speakers = [Speaker(site.socket, origin, noise(round(LONGEST * FRAMES_A_SECOND), n)) for n in range(streams)]
    speaking = [asyncio.create_task(speaker.run()) for speaker in run.speakers]
    await asyncio.sleep(BEFORE)
    began = time.monotonic()
    process = await asyncio.create_subprocess_exec(*command)
    if await process.wait():
        sys.exit(f"{command[0]} ended with {process.returncode}")
    took = time.monotonic() - began
    await asyncio.sleep(AFTER)
    run.spoken = {speaker: speaker.fall_silent() for speaker in run.speakers}
    async with asyncio.timeout(60):
        await asyncio.gather(*speaking)
    return run, took


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", action="append", required=True, help="of a web process")
    parser.add_argument("--origin", help="the site's own, SITE_URL; default: the first URL")
    parser.add_argument("--token", required=True)
    parser.add_argument("--streams", type=int, default=10)
    parser.add_argument("command", nargs="+")
    options = parser.parse_args()
    site = Site(options.url, options.token)
    run, took = asyncio.run(speak_during(site, options.origin or options.url[0], options.streams, options.command))
    verdict = judge(run, {speaker.session: site.words(speaker.session) for speaker in run.speakers if speaker.session})
    waits = [
        max(later - earlier for earlier, later in pairwise(times))
        for times in (speaker.seen.new_words_at for speaker in run.speakers)
    ]
    print(f"{options.streams} streams, {took:.0f} s for the command\n{verdict}")
    print(f"the longest wait for the next word: median {statistics.median(waits):.1f} s, at most {max(waits):.1f} s")
    sys.exit(not verdict.is_good)


if __name__ == "__main__":
    main()
