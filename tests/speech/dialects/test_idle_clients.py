"""A client that sends no audio for a while gets no error, in any dialect: a silent microphone is not a fault."""

import asyncio
import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
import pytest
from channels.testing import WebsocketCommunicator
from django.test import Client as BrowserClient

from accounts.models import Token
from accounts.scopes import STT
from dsm_site.asgi import application
from inference import scheduler
from inference.engines.registry import ENGINES
from inference.engines.testing.checksum import WORD_FRAMES
from inference.messages import FRAME_BYTES
from inference.worker import Worker
from speech.gateway.database import in_database
from speech.live import inbox, stream_state
from tests.support.speech.checksum_audio import noise, words_of
from tests.support.speech.link import isolated_layer
from tests.support.speech.sessions import create_user

PCM = noise(4 * WORD_FRAMES)
HALF = 2 * WORD_FRAMES * FRAME_BYTES


@dataclass(frozen=True)
class Dialect:
    path: str
    audio: Callable[[bytes], dict[str, Any]]
    """The arguments of `send_to` for audio."""
    words: Callable[[dict[str, Any]], str]
    """The words in a message."""
    keep_alive: str = ""
    first: str = ""
    """A message that the job waits for."""


def kyutai_audio(pcm: bytes) -> dict[str, Any]:
    samples = (np.frombuffer(pcm, "<i2") / 32768).tolist()
    return {"bytes_data": msgspec.msgpack.encode({"type": "Audio", "pcm": samples})}


def openai_audio(pcm: bytes) -> dict[str, Any]:
    event = {"type": "input_audio_buffer.append", "audio": base64.b64encode(pcm).decode()}
    return {"text_data": json.dumps(event)}


def deepgram_words(message: dict[str, Any]) -> str:
    return message["channel"]["alternatives"][0]["transcript"] if message.get("is_final") else ""


def binary(pcm: bytes) -> dict[str, Any]:
    return {"bytes_data": pcm}


def word_of_type(name: str) -> Callable[[dict[str, Any]], str]:
    return lambda message: message["text"] if message["type"] == name else ""


DIALECTS = {
    "page": Dialect("ws/live/", binary, word_of_type("word"), first=json.dumps({"type": "start"})),
    "plain": Dialect("ws/pcm?rate=24000", binary, word_of_type("word")),
    "Kyutai": Dialect("api/asr-streaming", kyutai_audio, word_of_type("Word")),
    "Deepgram": Dialect(
        "v1/listen?encoding=linear16&sample_rate=24000", binary, deepgram_words, json.dumps({"type": "KeepAlive"})
    ),
    "OpenAI": Dialect(
        "v1/realtime?intent=transcription", openai_audio, lambda message: str(message.get("transcript", ""))
    ),
}


class Client:
    def __init__(self, dialect: Dialect, token: str, ticket: str) -> None:
        path = f"/{dialect.path}?ticket={ticket}" if dialect.path == "ws/live/" else f"/{dialect.path}"
        headers = [(b"origin", b"http://localhost"), (b"host", b"localhost"), (b"authorization", token.encode())]
        self._dialect = dialect
        self._socket = WebsocketCommunicator(application, path, headers=headers)
        self.received: list[dict[str, Any]] = []
        self.words: list[str] = []

    async def open(self) -> None:
        assert (await self._socket.connect(timeout=20))[0]
        if self._dialect.first:
            await self._socket.send_to(text_data=self._dialect.first)
            await self._until(lambda: self.received[-1]["type"] == "ready")

    async def say(self, pcm: bytes) -> None:
        """Send the audio and wait for its words."""
        count = len(self.words) + len(words_of(pcm))
        await self._socket.send_to(**self._dialect.audio(pcm))
        await self._until(lambda: len(self.words) >= count)

    async def keep_alive(self) -> None:
        if self._dialect.keep_alive:
            await self._socket.send_to(text_data=self._dialect.keep_alive)

    async def close(self) -> None:
        await self._socket.disconnect(timeout=20)

    async def unread(self) -> list[dict[str, Any]]:
        """What has come and was not read, but for the news that something is stored."""
        messages = []
        while not self._socket.output_queue.empty():
            messages.append(await self._receive())
        return [message for message in messages if message["type"] != "ack"]

    async def _until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(20):
            await self._receive()
            while not condition():
                await self._receive()

    async def _receive(self) -> dict[str, Any]:
        output = await self._socket.receive_output(timeout=20)
        assert output["type"] == "websocket.send", output
        decode = msgspec.json.decode if output.get("text") else msgspec.msgpack.decode
        message = decode(output.get("text") or output["bytes"])
        self.received.append(message)
        self.words += self._dialect.words(message).split()
        return message


@pytest.fixture
def short_times(monkeypatch):
    monkeypatch.setattr(inbox, "TICK", 0.01)
    monkeypatch.setattr(stream_state, "REST_AFTER", 0.1)
    monkeypatch.setattr(scheduler, "IDLE_TIMEOUT", 1.0)  # also on a busy machine well after the rest
    monkeypatch.setattr(scheduler, "REAP_INTERVAL", 0.05)


@pytest.fixture
async def engine(short_times):
    async with isolated_layer() as layer:
        worker = Worker(layer, ENGINES["checksum"], len(DIALECTS))
        task = asyncio.create_task(worker.run())
        yield worker
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def credentials() -> tuple[str, str]:
    user = create_user()
    _, token = Token.create(user, Token.Kind.API, "x", frozenset({STT}), None)
    browser = BrowserClient(headers={"Host": "localhost", "Origin": "http://localhost"})
    browser.force_login(user)
    return f"Bearer {token}", browser.post("/api/tickets/").json()["ticket"]


async def until_all_slots_are_free(worker: Worker) -> None:
    async with asyncio.timeout(20):
        while worker._scheduler.free < worker._scheduler.slots:
            await asyncio.sleep(0.02)


@pytest.mark.django_db(transaction=True)
async def test_an_idle_client_gives_its_slot_back_and_gets_no_message_until_it_sends_audio_again(engine):
    token, ticket = await in_database(credentials)
    clients = {name: Client(dialect, token, ticket) for name, dialect in DIALECTS.items()}
    await asyncio.gather(*(client.open() for client in clients.values()))
    await asyncio.gather(*(client.say(PCM[:HALF]) for client in clients.values()))
    await until_all_slots_are_free(engine)
    await asyncio.sleep(scheduler.IDLE_TIMEOUT)
    for client in clients.values():
        await client.unread()  # the end of the segment, which may come after the slot is free
        await client.keep_alive()
    await asyncio.sleep(scheduler.IDLE_TIMEOUT + scheduler.REAP_INTERVAL)
    assert {name: await client.unread() for name, client in clients.items()} == {name: [] for name in clients}
    await asyncio.gather(*(client.say(PCM[HALF:]) for client in clients.values()))
    for name, client in clients.items():
        assert client.words == words_of(PCM), name
        assert not [each for each in client.received if "rror" in each["type"] or each["type"] == "interrupted"], name
        await client.close()
