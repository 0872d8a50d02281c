"""The largest permitted texts, degenerate, through the pages and APIs that work on texts."""

import asyncio
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.client import HTTPConnection
from urllib.parse import urlencode, urlsplit

from benchmarks.support.attack.results import Table
from benchmarks.support.attack.sites import Pings, cpu_seconds, large_site, logged_in, new_tokens
from tests.support.servers.site import Site

OWNER = "writer@example.org"
SEGMENTS, WORDS = 20, 5_000
"""Of the session: a day of speech, each segment as long as one may become."""
TEXT = 10_000  # characters of a segment
SPOKEN = 100_000  # characters of a synthesis
LISTENING = 5.0
"""Seconds of a synthesis."""
CPU, STALL = 1.0, 0.5
"""Seconds of a process that one request may take, and for which the event loop may be blocked."""
CPU_OF_SESSION = 10.0
"""Of a request that reads all 100,000 words of the session: 0.1 ms for each."""

CREATE = """
from django.utils import timezone
from accounts.models import User
from speech.models import Segment, Session, Word
now, owner = timezone.now(), User.objects.get(email={owner!r})
session = Session.objects.create(
    owner=owner, started_at=now, ended_at=now, samples=10**9, engine="checksum", language="en")
segments, words = [], []
for number in range({segments}):
    texts = ["a", "b"] * ({words} // 2)
    start = 0.5 * {words} * number
    segments.append(Segment(
        session=session, index=number, start=start, end=start + 0.5 * {words}, text=" ".join(texts)))
    words += [
        Word(session=session, segment_index=number, index=number * {words} + n, text=text, start=start + 0.5 * n,
             end=start + 0.5 * n + 0.4)
        for n, text in enumerate(texts)]
for number in ({segments}, {segments} + 1):  # two that can be merged
    segments.append(Segment(session=session, index=number, start=10**6 + number, end=10**6 + number, text="a " * 2499))
Segment.objects.bulk_create(segments)
Word.objects.bulk_create(words, batch_size=5000)
print(session.pk, *session.segments.values_list("pk", flat=True))
"""
EDITS = {
    "“a b a b …” to “b a b a …”": "b a " * (TEXT // 4),
    "to one word again and again": "a " * (TEXT // 2),
    "to different words": " ".join(str(number) for number in range(TEXT // 5)),
    "to a word without end": "x" * TEXT,
    "to accents without end": "a" + "\u0301" * (TEXT - 1),
    "to opening brackets": "([{<" * (TEXT // 4),
}
SPEECHES = {
    "words": "a b " * (SPOKEN // 4),
    "digits": "9" * SPOKEN,
    "points and digits": "1." * (SPOKEN // 2),
    "accents": "a" + "\u0301" * (SPOKEN - 1),
    "brackets": "(" * SPOKEN,
    "no spaces": "x" * SPOKEN,
}


@dataclass(frozen=True)
class Attack:
    name: str
    path: str
    form: dict[str, str] | None = None
    body: str = ""
    cpu: float = CPU
    """Seconds of a process that it may take."""
    headers: dict[str, str] = field(default_factory=dict)


def run() -> Iterator[Table]:
    with large_site(TTS_ENGINE="tones") as site:
        yield asyncio.run(_run(site))


async def _run(site: Site) -> Table:
    table = Table("degenerate texts", "request", "status", "seconds", "CPU s", "longest stall s")
    headers = await asyncio.to_thread(logged_in, site, OWNER)
    token = (await asyncio.to_thread(new_tokens, site, OWNER))[0]
    code = CREATE.format(owner=OWNER, segments=SEGMENTS, words=WORDS)
    session, *segments = (await asyncio.to_thread(site.shell, code)).split()
    browser = {name.replace("_", "-"): value for name, value in headers.items()}
    pings = Pings()
    async with pings.of(site):
        for attack in (*edits(session, segments), *reads(session), *speeches(token)):
            await asyncio.sleep(0.3)
            pings.longest, cpu, started = 0.0, cpu_seconds(site), time.monotonic()
            status = await asyncio.to_thread(_request, site, attack, browser)
            seconds = time.monotonic() - started
            await asyncio.sleep(0.05)
            cpu, stall = cpu_seconds(site) - cpu, pings.longest
            table.add(attack.name, status, seconds, cpu, stall)
            table.promise(status < 500, f"no error: {attack.name} got {status}")
            table.promise(
                cpu <= attack.cpu, f"a request takes at most {attack.cpu:.1f} s: {attack.name} took {cpu:.2f} s"
            )
            table.promise(stall <= STALL, f"a request blocks at most {STALL} s: {attack.name} blocked {stall:.2f} s")
    table.notes.append(f"a session of {SEGMENTS * WORDS:,} words; syntheses are ended after {LISTENING:.0f} s")
    return table


def edits(session: str, segments: list[str]) -> Iterator[Attack]:
    page = f"/sessions/{session}"
    for pk, (name, text) in zip(segments, EDITS.items(), strict=False):
        yield Attack(f"edit: {name}", f"{page}/segments/{pk}/", {"do": "text", "text": text})
    yield Attack("edit: too long", f"{page}/segments/{segments[6]}/", {"do": "text", "text": "a b " * 200_000})
    yield Attack("split", f"{page}/segments/{segments[6]}/", {"do": "split", "word": "2500"})
    yield Attack("merge", f"{page}/segments/{segments[-2]}/", {"do": "merge"})
    swap = {"find": "a b", "replace": "b a"}
    yield Attack("replace “a b” by “b a”", f"{page}/replace/", swap, cpu=CPU_OF_SESSION)
    yield Attack(
        "replace “a” by “c”", f"{page}/replace/", {"find": "a", "replace": "c", "parts": "on"}, cpu=CPU_OF_SESSION
    )
    yield Attack("replace, too long", f"{page}/replace/", {"find": "b", "replace": "y" * 200})
    details = {"title": "a" * 200, "tags": ",".join("ab"[n % 2] * (n + 1) for n in range(20)), "retention": "site"}
    yield Attack("title and tags", f"{page}/details/", details)


def reads(session: str) -> Iterator[Attack]:
    words = " ".join(["b", "c", *map(str, range(40))])[:200]
    for name, query in {"words": words, "a phrase": '"' + "b c " * 49 + '"', "quotes": '"' * 200}.items():
        yield Attack(f"search: {name}", f"/sessions/?{urlencode({'q': query})}")
    marked = f"/sessions/{session}/?{urlencode({'q': 'b c ' * 50})}"
    yield Attack("page of the session, with a search", marked, cpu=CPU_OF_SESSION)
    yield Attack("voices page", f"/voices/?session={session}", cpu=CPU_OF_SESSION)
    for format in ("txt", "srt", "vtt", "json", "csv", "md", "docx", "ass"):
        yield Attack(f"export: {format}", f"/sessions/{session}/transcript.{format}", cpu=CPU_OF_SESSION)


def speeches(token: str) -> Iterator[Attack]:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    for name, text in SPEECHES.items():
        body = json.dumps({"input": text, "response_format": "pcm"})
        yield Attack(f"speech: {name}", "/v1/audio/speech", body=body, headers=headers, cpu=2 * LISTENING)


def _request(site: Site, attack: Attack, browser: dict[str, str]) -> int:
    """The status. Reads the response for `LISTENING` seconds at most if it is speech."""
    body = urlencode(attack.form) if attack.form else attack.body
    headers = attack.headers or browser
    if attack.form:
        headers = {**headers, "Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
    connection = HTTPConnection(urlsplit(site.url).netloc, timeout=120)
    connection.request("POST" if body else "GET", attack.path, body or None, headers)
    response = connection.getresponse()
    ends_at = time.monotonic() + (LISTENING if attack.headers else 600)
    while response.read(65536) and time.monotonic() < ends_at:
        pass
    connection.close()
    return response.status
