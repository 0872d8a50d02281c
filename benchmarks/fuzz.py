"""Random messages to every WebSocket endpoint: `python -m benchmarks.fuzz`.

Each endpoint receives ten thousand messages over eight concurrent connections; every other connection is aborted. A
neighbor stream runs all the time and must receive each of its words once. Fails unless afterwards all slots are free
and no process has logged a traceback.
"""

import argparse
import asyncio
import json
import re
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
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

MAX_CONNECTIONS = 8
MAX_CONVERSATIONS = 150
"""Generated at most; then they repeat, because the site may close many of them early."""
NEIGHBOR_FRAMES = 6_000
SITE_SETTINGS = {
    "STT_ENGINE": "checksum",
    "TTS_ENGINE": "tones",
    "STT_SLOTS": str(2 * MAX_CONNECTIONS),
    "TTS_SLOTS": str(2 * MAX_CONNECTIONS),
    "STREAMS_PER_USER": "1000",
    "PROGRAM_STREAMS_PER_USER": "1000",
    "RATE_LIMITS": "off",
}
"""Settings with which the site rejects no message because of its limits."""

Messages = list[str | bytes]

# --- Generated messages -----------------------------------------------------------------------------------------------

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
raw = st.binary(max_size=300) | st.sampled_from([0, 1, 2, 480, 3839, FRAME_BYTES, 65_536, 65_537]).map(bytes)


def truncated(whole: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return whole.flatmap(lambda message: st.integers(0, len(message)).map(lambda end: message[:end]))


def live_messages() -> st.SearchStrategy[Messages]:
    """Some valid messages, then invalid ones."""
    kinds = st.sampled_from(["start", "pause", "resume", "stop", "ping", "ready", "word", ""])
    fields = st.sampled_from(["engine", "language", "wait", "session", "dropped", "at", "type", "seq"])
    values = st.dictionaries(fields, anything)
    malformed = st.builds(lambda kind, more: json.dumps({"type": kind, **more}), kinds, values)
    commands = st.sampled_from(["start", "pause", "resume", "stop"]).map(lambda kind: json.dumps({"type": kind}))
    valid = st.sampled_from([2, 480, FRAME_BYTES, 65_536]).map(bytes) | st.just('{"type": "ping", "at": 1}')
    invalid = commands | malformed | truncated(malformed) | raw | st.text(max_size=100) | anything.map(str)
    first = st.just([]) | st.lists(valid, max_size=60).map(lambda rest: ['{"type": "start"}', *rest])
    return st.builds(lambda first, then: first + then, first, st.lists(invalid, min_size=20, max_size=60))


def api_messages() -> st.SearchStrategy[Messages]:
    """Message types of all protocols, in JSON and in MessagePack."""
    kyutai = ["Audio", "OggOpus", "Marker", "Init", "Text", "Voice", "Eos"]
    deepgram = ["KeepAlive", "Finalize", "CloseStream", "Configure", "ForceEndTurn", "Speak", "Flush", "Clear", "Close"]
    openai = ["session.update", *(f"input_audio_buffer.{verb}" for verb in ("append", "commit", "clear"))]
    pcm = ["start", "text", "finish", "ack", "flush", "stop", "ping"]
    names = st.sampled_from([*kyutai, *deepgram, *openai, *pcm])
    fields = st.sampled_from(["pcm", "data", "id", "text", "audio", "session", "event_id", "voice", "transcription"])
    small = anything.filter(lambda value: not isinstance(value, int) or abs(value) < 2**63)
    messages = st.builds(lambda name, more: {"type": name, **more}, names, st.dictionaries(fields, small, max_size=3))
    audio_messages = st.builds(lambda size: {"type": "Audio", "pcm": [0.0] * size}, st.integers(0, 4000))
    audio = st.sampled_from(["AAAA", "A", "=", "é", ""])
    appended = st.builds(lambda audio: {"type": "input_audio_buffer.append", "audio": audio}, audio)
    in_json, in_msgpack = (messages | appended).map(json.dumps), (messages | audio_messages).map(_packed)
    return st.lists(
        in_json | in_msgpack | truncated(in_msgpack) | raw | st.text(max_size=60), min_size=60, max_size=120
    )


def self_hosted_messages() -> st.SearchStrategy[Messages]:
    """Messages of vosk-server and WhisperLive. The first one is valid."""
    fields = st.sampled_from(
        [*("config", "eof", "reset", "sample_rate", "words", "max_alternatives", "uid", "language", "task", "model"),
         *("audio_format", "send_last_n_segments", "word_timestamps", "known_speakers")]
    )  # fmt: skip
    values = anything | st.dictionaries(fields, anything, max_size=3)
    messages = st.dictionaries(fields, values, max_size=4).map(json.dumps)
    first = st.sampled_from(
        ['{"config": {"sample_rate": 16000}}', '{"uid": "a", "audio_format": "int16", "word_timestamps": true}']
    )
    audio = raw | st.just(b"END_OF_AUDIO") | st.just('{"reset": 1}')
    then = st.lists(audio | audio | messages | truncated(messages) | st.text(max_size=60), min_size=40, max_size=80)
    return st.builds(lambda first, then: [first, *then], first, then)


def _packed(message: dict[str, Any]) -> bytes:
    with suppress(OverflowError, ValueError):
        packed: bytes = msgpack.packb(message)
        return packed
    return b""


@dataclass(frozen=True)
class Dialect:
    path: str
    conversation: st.SearchStrategy[Messages]


@cache
def generate(conversation: st.SearchStrategy[Messages], count: int) -> list[Messages]:
    """Conversations, the same ones each time."""
    conversations: list[Messages] = []

    @settings(
        max_examples=count, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
    )
    @given(conversation)
    def collect(messages: Messages) -> None:
        conversations.append(messages)

    collect()
    return conversations


_api_messages, _self_hosted_messages = api_messages(), self_hosted_messages()
DIALECTS = {
    "live page": Dialect("/ws/live/?ticket=", live_messages()),
    "voices page": Dialect("/ws/voices/?ticket=", _api_messages),
    "PCM endpoint": Dialect("/ws/pcm?rate=16000", _api_messages),
    "PCM endpoint, Opus": Dialect("/ws/pcm?format=opus", _api_messages),
    "Kyutai STT": Dialect("/api/asr-streaming", _api_messages),
    "Kyutai TTS": Dialect("/api/tts_streaming", _api_messages),
    "Deepgram": Dialect("/v1/listen?encoding=linear16&sample_rate=16000&interim_results=true", _api_messages),
    "Deepgram, files": Dialect("/v1/listen?endpointing=300", _api_messages),
    "Deepgram, speech": Dialect("/v1/speak", _api_messages),
    "Deepgram, turns": Dialect("/v2/listen?encoding=linear16&eager_eot_threshold=0.4", _api_messages),
    "OpenAI realtime": Dialect("/v1/realtime?intent=transcription", _api_messages),
    "vosk-server": Dialect("/vosk", _self_hosted_messages),
    "WhisperLive": Dialect("/whisper-live", _self_hosted_messages),
    "WhisperLiveKit": Dialect("/asr?mode=diff", _self_hosted_messages),
}

# --- Sending ----------------------------------------------------------------------------------------------------------


def fuzz(site: Site, token: str, dialects: Mapping[str, Dialect], messages: int) -> dict[str, Counter[int | None]]:
    """Send `messages` messages to each dialect, one after another. Returns the close codes of its connections, None for
    those closed by this client.

    Raises AssertionError if it finds a bug.
    """
    with _neighbor(site):
        codes = {name: _fuzz(site, token, dialect, messages) for name, dialect in dialects.items()}
    site.web.wait_until(lambda: _all_slots_are_free(site), within=30)
    site.assert_no_bugs()
    return codes


def _fuzz(site: Site, token: str, dialect: Dialect, messages: int) -> Counter[int | None]:
    headers = {"Authorization": f"Bearer {token}", "Origin": site.url}
    codes: Counter[int | None] = Counter()
    conversations = zip(
        _urls(site, dialect), cycle(generate(dialect.conversation, min(messages // 25, MAX_CONVERSATIONS)))
    )
    while messages > 0:
        ends = asyncio.run(_send_concurrently(islice(conversations, MAX_CONNECTIONS), headers))
        messages -= sum(sent for sent, _ in ends)
        codes.update(code for _, code in ends)
    return codes


async def _send_concurrently(
    conversations: Iterable[tuple[str, Messages]], headers: dict[str, str]
) -> list[tuple[int, Any]]:
    return await asyncio.gather(*(_send(url, headers, messages) for url, messages in conversations))


async def _send(url: str, headers: dict[str, str], messages: Messages) -> tuple[int, int | None]:
    """Returns the number of messages sent before the site closed the connection, and its close code."""
    sent, connect = 0, websockets.connect(url, additional_headers=headers, max_queue=None, close_timeout=2)
    with suppress(websockets.ConnectionClosed, TimeoutError):
        async with connect as socket:
            for message in messages:
                await socket.send(message)
                sent += 1
            if len(messages) % 2:
                socket.transport.abort()
    return sent, socket.protocol.close_rcvd.code if socket.protocol.close_rcvd else None


def _urls(site: Site, dialect: Dialect) -> Iterator[str]:
    url = f"{site.url.replace('http', 'ws')}{dialect.path}"
    while True:
        yield from (url + ticket for ticket in tickets(site, 50)) if url.endswith("ticket=") else [url]


@contextmanager
def _neighbor(site: Site) -> Iterator[None]:
    """A valid stream in the background, whose samples must all be processed exactly once."""
    has_ended, pcm, (ticket,) = Event(), noise(NEIGHBOR_FRAMES), tickets(site)

    async def stream() -> None:
        async with live_socket(site, ticket, max_queue=None) as socket:  # read only at the end
            await socket.start()
            sent = 0
            while not has_ended.is_set() and sent < len(pcm):
                await socket.send_audio(pcm[sent : sent + FRAME_BYTES], pace=0.04)
                sent += FRAME_BYTES
            await socket.stop()
            assert socket.words() == words_of(pcm[:sent])

    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(lambda: asyncio.run(stream()))
        try:
            yield
        finally:
            has_ended.set()
        future.result()


def _all_slots_are_free(site: Site) -> bool:
    site.web.process.send_signal(signal.SIGUSR1)
    time.sleep(0.2)
    free, slots = re.findall(r"(\d+) of (\d+) slots free", site.log)[-1]
    return bool(free == slots)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=10_000, help="number of messages to each endpoint")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, running_site(Path(folder), **SITE_SETTINGS) as site:
        token = issue_token(site)
        for name, dialect in DIALECTS.items():
            started = time.monotonic()
            codes = fuzz(site, token, {name: dialect}, options.messages)[name]
            closed = ", ".join(f"{count} by {code or 'this client'}" for code, count in codes.most_common())
            print(
                f"{name:24} {codes.total():5} connections in {time.monotonic() - started:4.0f} s, closed {closed}",
                flush=True,
            )


if __name__ == "__main__":
    main()
