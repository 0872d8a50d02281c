"""Messages that make little sense, to every kind of socket that there is: `python -m benchmarks.fuzz`.

Each kind gets ten thousand of them, eight sockets at once; every other socket leaves without a goodbye. Beside them a
stream speaks all the while, and must have each of its words once. Afterwards every slot is free, and no process has
logged a traceback: else this ends with an error.
"""

import argparse
import asyncio
import json
import re
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from itertools import cycle, islice
from pathlib import Path
from threading import Event
from typing import Any

import msgpack
import websockets
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inference.messages import FRAME_BYTES
from tests.support.clients.sockets import live_socket, tickets
from tests.support.clients.tokens import issue_token
from tests.support.servers.site import Site, running_site
from tests.support.speech.checksum_audio import noise, words_of

AT_ONCE = 8
CONVERSATIONS = 150
"""Invented at the most; then the same again, since the site may have had enough of many before they were over."""
NEIGHBOUR_FRAMES = 6_000
ENOUGH_FOR = {
    "STT_ENGINE": "checksum",
    "TTS_ENGINE": "tones",
    "STT_SLOTS": str(2 * AT_ONCE),
    "TTS_SLOTS": str(2 * AT_ONCE),
    "STREAMS_PER_USER": "1000",
    "PROGRAM_STREAMS_PER_USER": "1000",
    "RATE_LIMITS": "off",
}
"""What a site needs for all of it to be heard, and none of it refused as too much."""

Said = list[str | bytes]

# --- What is said -----------------------------------------------------------------------------------------------------

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
raw = st.binary(max_size=300) | st.sampled_from([0, 1, 2, 480, 3839, FRAME_BYTES, 65_536, 65_537]).map(bytes)


def torn(whole: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return whole.flatmap(lambda message: st.integers(0, len(message)).map(lambda end: message[:end]))


def to_the_live_page() -> st.SearchStrategy[Said]:
    """Some that make sense, then some that make none."""
    kinds = st.sampled_from(["start", "pause", "resume", "stop", "ping", "ready", "word", ""])
    fields = st.sampled_from(["engine", "language", "wait", "session", "dropped", "at", "type", "seq"])
    of_fields = st.dictionaries(fields, anything)
    half_formed = st.builds(lambda kind, more: json.dumps({"type": kind, **more}), kinds, of_fields)
    commands = st.sampled_from(["start", "pause", "resume", "stop"]).map(lambda kind: json.dumps({"type": kind}))
    sense = st.sampled_from([2, 480, FRAME_BYTES, 65_536]).map(bytes) | st.just('{"type": "ping", "at": 1}')
    nonsense = commands | half_formed | torn(half_formed) | raw | st.text(max_size=100) | anything.map(str)
    first = st.just([]) | st.lists(sense, max_size=60).map(lambda said: ['{"type": "start"}', *said])
    return st.builds(lambda first, then: first + then, first, st.lists(nonsense, min_size=20, max_size=60))


def to_programs() -> st.SearchStrategy[Said]:
    """The words of all dialects, in JSON and in MessagePack."""
    of_kyutai = ["Audio", "OggOpus", "Marker", "Init", "Text", "Voice", "Eos"]
    of_deepgram = ["KeepAlive", "Finalize", "CloseStream"]
    of_openai = ["session.update", *(f"input_audio_buffer.{verb}" for verb in ("append", "commit", "clear"))]
    of_ours = ["start", "text", "finish", "ack", "flush", "stop", "ping"]
    names = st.sampled_from([*of_kyutai, *of_deepgram, *of_openai, *of_ours])
    fields = st.sampled_from(["pcm", "data", "id", "text", "audio", "session", "event_id", "voice", "transcription"])
    small = anything.filter(lambda value: not isinstance(value, int) or abs(value) < 2**63)
    messages = st.builds(lambda name, more: {"type": name, **more}, names, st.dictionaries(fields, small, max_size=3))
    sounds = st.builds(lambda size: {"type": "Audio", "pcm": [0.0] * size}, st.integers(0, 4000))
    audio = st.sampled_from(["AAAA", "A", "=", "é", ""])
    appended = st.builds(lambda audio: {"type": "input_audio_buffer.append", "audio": audio}, audio)
    in_json, in_msgpack = (messages | appended).map(json.dumps), (messages | sounds).map(_packed)
    return st.lists(in_json | in_msgpack | torn(in_msgpack) | raw | st.text(max_size=60), min_size=60, max_size=120)


def _packed(message: dict[str, Any]) -> bytes:
    with suppress(OverflowError, ValueError):
        packed: bytes = msgpack.packb(message)
        return packed
    return b""


@dataclass(frozen=True)
class Dialect:
    path: str
    said: st.SearchStrategy[Said]


@cache
def invented(said: st.SearchStrategy[Said], count: int) -> list[Said]:
    """The same ones each time."""
    conversations: list[Said] = []

    @settings(
        max_examples=count, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
    )
    @given(said)
    def invent(said: Said) -> None:
        conversations.append(said)

    invent()
    return conversations


_programs = to_programs()
DIALECTS = {
    "the live page's": Dialect("/ws/live/?ticket=", to_the_live_page()),
    "the voices page's": Dialect("/ws/voices/?ticket=", _programs),
    "the simple one": Dialect("/ws/pcm?rate=16000", _programs),
    "the simple one in Opus": Dialect("/ws/pcm?format=opus", _programs),
    "Kyutai's that hears": Dialect("/api/asr-streaming", _programs),
    "Kyutai's that speaks": Dialect("/api/tts_streaming", _programs),
    "Deepgram's": Dialect("/v1/listen?encoding=linear16&sample_rate=16000&interim_results=true", _programs),
    "OpenAI's": Dialect("/v1/realtime?intent=transcription", _programs),
}

# --- Saying it --------------------------------------------------------------------------------------------------------


def fuzz(site: Site, token: str, dialect: Dialect, messages: int) -> Counter[int | None]:
    """Send so many messages, and return how the sockets were closed: by which codes, None where it was we who left.

    Raises AssertionError if it did harm.
    """
    headers = {"Authorization": f"Bearer {token}", "Origin": site.url}
    codes: Counter[int | None] = Counter()
    conversations = zip(_addresses(site, dialect), cycle(invented(dialect.said, min(messages // 25, CONVERSATIONS))))
    with _neighbour(site):
        while messages > 0:
            ends = asyncio.run(_talk_at_once(islice(conversations, AT_ONCE), headers))
            messages -= sum(sent for sent, _ in ends)
            codes.update(code for _, code in ends)
    site.web.wait_until(lambda: _all_slots_are_free(site), within=30)
    site.assert_no_bugs()
    return codes


async def _talk_at_once(conversations: Iterable[tuple[str, Said]], headers: dict[str, str]) -> list[tuple[int, Any]]:
    return await asyncio.gather(*(_talk(url, headers, said) for url, said in conversations))


async def _talk(url: str, headers: dict[str, str], said: Said) -> tuple[int, int | None]:
    """Returns how many messages were sent before the site had enough, and the code with which it said so."""
    sent, connect = 0, websockets.connect(url, additional_headers=headers, max_queue=None, close_timeout=2)
    with suppress(websockets.ConnectionClosed, TimeoutError):
        async with connect as socket:
            for message in said:
                await socket.send(message)
                sent += 1
            if len(said) % 2:
                socket.transport.abort()
    return sent, socket.protocol.close_rcvd.code if socket.protocol.close_rcvd else None


def _addresses(site: Site, dialect: Dialect) -> Iterator[str]:
    url = f"{site.url.replace('http', 'ws')}{dialect.path}"
    while True:
        yield from (url + ticket for ticket in tickets(site, 50)) if url.endswith("ticket=") else [url]


@contextmanager
def _neighbour(site: Site) -> Iterator[None]:
    """A stream like any other, all the while; at its end every sample of it was heard once."""
    is_over, pcm, (ticket,) = Event(), noise(NEIGHBOUR_FRAMES), tickets(site)

    async def speak() -> None:
        async with live_socket(site, ticket, max_queue=None) as socket:  # read only at the end
            await socket.start()
            sent = 0
            while not is_over.is_set() and sent < len(pcm):
                await socket.say(pcm[sent : sent + FRAME_BYTES], pace=0.04)
                sent += FRAME_BYTES
            await socket.stop()
            assert socket.words() == words_of(pcm[:sent])

    with ThreadPoolExecutor(1) as pool:
        speaking = pool.submit(lambda: asyncio.run(speak()))
        try:
            yield
        finally:
            is_over.set()
        speaking.result()


def _all_slots_are_free(site: Site) -> bool:
    site.web.process.send_signal(signal.SIGUSR1)
    time.sleep(0.2)
    free, slots = re.findall(r"(\d+) of (\d+) slots free", site.log)[-1]
    return bool(free == slots)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=10_000, help="to each kind of socket")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, running_site(Path(folder), **ENOUGH_FOR) as site:
        token = issue_token(site)
        for name, dialect in DIALECTS.items():
            began = time.monotonic()
            codes = fuzz(site, token, dialect, options.messages)
            closed = ", ".join(f"{count} by {code or 'us'}" for code, count in codes.most_common())
            print(
                f"{name:24} {codes.total():5} sockets in {time.monotonic() - began:4.0f} s, closed {closed}", flush=True
            )


if __name__ == "__main__":
    main()
