"""Back-pressure of the APIs' sockets, inside the test process: a client sends faster than its audio is transcribed, or
does not read what it is sent. benchmarks/hour.py has real clients, and an hour."""

import asyncio
import json
from base64 import b64encode
from collections.abc import Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from types import SimpleNamespace

import msgpack
import numpy as np
import pytest
from channels.routing import URLRouter
from channels.testing import WebsocketCommunicator

from accounts.credentials.principal import Caller
from accounts.scopes import SESSIONS, STT
from inference.engines.registry import ENGINES
from inference.messages import FRAME_SAMPLES
from inference.worker import Worker, run_workers
from speech import events
from speech.dialects.pcm import SPARSE_STEPS_LAG, PcmSocket
from speech.dialects.routing import websocket_urlpatterns
from speech.dialects.sockets import api_socket, backlog, stt_socket
from speech.errors import CloseCode, TooSlow
from speech.gateway.database import in_database
from speech.live import inbox, stream_state
from speech.models import Word
from tests.support.speech.checksum_audio import noise, words_of
from tests.support.speech.link import isolated_layer
from tests.support.speech.sessions import create_user

pytestmark = pytest.mark.django_db(transaction=True)

PCM = noise(100)
FRAMES = [PCM[start : start + 3840] for start in range(0, len(PCM), 3840)]
Message = bytes | str


@dataclass
class Api:
    path: str
    audio: Callable[[bytes], Message]
    end: Message
    words: Callable[[list[dict]], list[str]]
    last: str
    """Type of the last message."""
    start: Message | None = None


def kyutai(**message) -> bytes:
    return msgpack.packb(message, use_single_float=True)


def deepgram_words(received: list[dict]) -> list[str]:
    alternatives = [each["channel"]["alternatives"][0] for each in received if each["type"] == "Results"]
    return [word["punctuated_word"] for alternative in alternatives for word in alternative["words"]]


def realtime_words(received: list[dict]) -> list[str]:
    return " ".join(each["transcript"] for each in received if each["type"].endswith(".completed")).split()


APIS = {
    "plain": Api(
        "/ws/pcm",
        lambda pcm: pcm,
        '{"type": "stop"}',
        lambda received: [each["text"] for each in received if each["type"] == "word"],
        "done",
    ),
    "Kyutai": Api(
        "/api/asr-streaming",
        lambda pcm: kyutai(type="Audio", pcm=(np.frombuffer(pcm, "<i2") / 32768).tolist()),
        kyutai(type="Marker", id=1),
        lambda received: [each["text"] for each in received if each["type"] == "Word"],
        "Marker",
    ),
    "Deepgram": Api(
        "/v1/listen?encoding=linear16&sample_rate=24000",
        lambda pcm: pcm,
        '{"type": "CloseStream"}',
        deepgram_words,
        "Metadata",
    ),
    "OpenAI": Api(
        "/v1/realtime?intent=transcription",
        lambda pcm: json.dumps({"type": "input_audio_buffer.append", "audio": b64encode(pcm).decode()}),
        '{"type": "input_audio_buffer.commit"}',
        realtime_words,
        "conversation.item.input_audio_transcription.completed",
        '{"type": "session.update", "session": {"audio": {"input": {"turn_detection": null}}}}',
    ),
}


class Client:
    """A client with a connection whose flow control it controls itself."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self.received: list[dict] = []
        self.pauses = 0
        self._reads = asyncio.Event()
        self._reads.set()
        self._socket = WebsocketCommunicator(URLRouter(websocket_urlpatterns), api.path)
        self._socket.scope["extensions"] = {
            "reading": {"pause": self._pause, "resume": self._resume},
            "writing": {"drained": self._reads.wait, "is_full": lambda: not self._reads.is_set()},
        }
        self.is_paused = False

    def _pause(self) -> None:
        self.pauses += 1
        self.is_paused = True

    def _resume(self) -> None:
        self.is_paused = False

    def stop_reading(self) -> None:
        self._reads.clear()

    def read_on(self) -> None:
        self._reads.set()

    async def connect(self) -> None:
        await self._socket.connect(10)

    async def send(self, message: Message) -> None:
        await self._socket.send_to(**{"text_data" if isinstance(message, str) else "bytes_data": message})

    async def send_all(self) -> None:
        for message in (self._api.start, *map(self._api.audio, FRAMES), self._api.end):
            if message is not None:
                await self.send(message)

    async def receive(self) -> dict:
        event = await self._socket.receive_output(30)
        if event["type"] == "websocket.close":
            return {"type": "close", **event}
        text = event.get("text")
        self.received.append(json.loads(text) if text else msgpack.unpackb(event["bytes"]))
        return self.received[-1]

    async def receives_nothing(self) -> bool:
        return await self._socket.receive_nothing(0.1)

    async def until(self, kind: str) -> dict:
        while (message := await self.receive())["type"] != kind:
            assert message["type"] not in ("close", "error", "Error"), message
        return message

    async def leave(self) -> None:
        await self._socket.disconnect(timeout=10)


@pytest.fixture
async def connect(monkeypatch):
    """Connect a client of an approved account, of a site with the checksum engine."""
    caller = Caller(await in_database(create_user), frozenset({STT, SESSIONS}))
    monkeypatch.setattr(api_socket, "authenticate", lambda credentials: caller)
    monkeypatch.setattr(inbox, "TICK", 0.02)

    @asynccontextmanager
    async def connect(api: Api):
        async with isolated_layer() as layer, asyncio.timeout(60):
            workers = asyncio.create_task(run_workers([Worker(layer, ENGINES["checksum"], slots=1)]))
            client = Client(api)
            try:
                await client.connect()
                yield client
            finally:
                await client.leave()
                workers.cancel()
                await asyncio.gather(workers, return_exceptions=True)

    return connect


@pytest.fixture
def small_bounds(monkeypatch):
    """Bounds that a few seconds of audio exceed."""
    monkeypatch.setattr(stt_socket, "MAX_LAG", 0.4)
    monkeypatch.setattr(backlog, "BLOCK", 40_000)


@pytest.mark.parametrize("name", APIS)
async def test_audio_at_full_speed_waits_on_the_disk_and_loses_no_word(connect, small_bounds, name):
    api = APIS[name]
    async with connect(api) as client:
        await client.send_all()
        await client.until(api.last)
    assert api.words(client.received) == words_of(PCM)
    assert client.pauses > 5  # each for one block
    assert not client.is_paused


@pytest.mark.parametrize("name", APIS)
async def test_a_client_may_read_only_after_it_has_sent_everything(connect, name):
    api = APIS[name]
    async with connect(api) as client:
        client.stop_reading()
        await client.send_all()
        while not await client.receives_nothing():
            await client.receive()
        assert api.words(client.received) == []  # so what it has to read is bounded
        client.read_on()
        await client.until(api.last)
    assert api.words(client.received) == words_of(PCM)


async def test_a_client_that_never_reads_is_closed_with_the_reason(connect, monkeypatch):
    monkeypatch.setattr(stt_socket, "UNREAD_TIMEOUT", 0.01)
    monkeypatch.setattr(stt_socket, "KEEP_INTERVAL", 0.01)
    async with connect(APIS["plain"]) as client:
        await client.until("ready")
        client.stop_reading()
        await client.send_all()
        error, close = await client.receive(), await client.receive()
    assert (error["what"], error["action"]) == (TooSlow.what, TooSlow.action)
    assert (close["code"], close["reason"]) == (CloseCode.TOO_SLOW, TooSlow.what)


async def test_a_stream_whose_audio_waits_is_not_idle(connect, monkeypatch):
    monkeypatch.setattr(stt_socket, "POLL_INTERVAL", 0.01)
    monkeypatch.setattr(PcmSocket, "idle_timeout", 0.05)
    api = APIS["plain"]
    async with connect(api) as client:
        client.stop_reading()
        for frame in FRAMES:
            await client.send(frame)
        while not await client.receives_nothing():
            await client.receive()
        client.read_on()
        await client.until("done")
    assert api.words(client.received) == words_of(PCM)


async def test_no_word_is_cut_while_a_client_does_not_read(connect, monkeypatch):
    monkeypatch.setattr(stt_socket, "KEEP_INTERVAL", 0.01)
    monkeypatch.setattr(stream_state, "REST_AFTER", 0.2)
    api = APIS["plain"]
    async with connect(api) as client:
        for frame in FRAMES[:7]:  # the second word is incomplete
            await client.send(frame)
        while (await client.until("step"))["time"] < 7 * 0.08:
            pass
        client.stop_reading()
        for message in (*FRAMES[7:], api.end):
            await client.send(message)
        for _ in range(5):
            assert await client.receives_nothing()
        client.read_on()
        await client.until("done")
    assert api.words(client.received) == words_of(PCM)


async def test_what_waits_is_saved_if_the_client_leaves(connect, small_bounds):
    async with connect(replace(APIS["plain"], path="/ws/pcm?keep=true")) as client:
        await client.until("ready")
        for frame in FRAMES:
            await client.send(frame)
        await client.leave()
    assert await in_database(lambda: [*Word.objects.order_by("index").values_list("text", flat=True)]) == words_of(PCM)


async def test_flushes_that_come_faster_than_the_engine_wait(connect, monkeypatch):
    monkeypatch.setattr(stt_socket, "MAX_FLUSHES", 1)
    async with connect(APIS["plain"]) as client:
        for number in range(20):
            for frame in FRAMES[5 * number : 5 * number + 5]:
                await client.send(frame)
            await client.send(json.dumps({"type": "flush", "id": number}))
        await client.send('{"type": "stop"}')
        await client.until("done")
    assert APIS["plain"].words(client.received) == words_of(PCM)
    assert [each["id"] for each in client.received if each["type"] == "flushed"] == [*range(20)]


@pytest.mark.parametrize(("lag", "count"), [(SPARSE_STEPS_LAG + 1, 3), (SPARSE_STEPS_LAG, 30)])
async def test_steps_are_sparse_for_a_client_that_is_ahead(lag, count):
    socket, sent = PcmSocket(), []
    socket.stream = SimpleNamespace(lag=lag)
    socket._next_step = 0

    async def send(event):
        sent.append(event)

    socket._send = send
    for number in range(30):  # 2.4 s
        await socket.send_event(events.Step(number * FRAME_SAMPLES, 0.0))
    assert len(sent) == count
