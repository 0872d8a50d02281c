"""The last resort of all WebSockets, by itself: an error in any of its parts ends the socket with an error."""

import asyncio
import json
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from accounts.credentials.principal import Caller
from accounts.scopes import STT
from inference.engines.registry import ENGINES
from inference.worker import Worker
from speech.batch.transcription import transcription_events
from speech.dialects.sockets.socket import Socket
from speech.errors import CloseCode, InternalError, StreamError
from speech.gateway.database import in_database
from tests.support.speech.link import isolated_layer
from tests.support.speech.sessions import create_user


class Fragile(Socket):
    """Serves until it fails; the parts named in `broken` raise."""

    broken: frozenset[str] = frozenset()

    async def connect(self) -> None:
        self._end: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        await self.accept()
        self.start_serving()

    async def run_job(self) -> None:
        self._break("job")
        await self._end

    def fail(self, error: StreamError) -> None:
        self._end.set_exception(error)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        self._break("message")

    def detach(self) -> None:
        self._break("detach")
        super().detach()

    async def send_error(self, error: StreamError) -> None:
        self._break("error")
        await self.send(text_data=json.dumps({"what": error.what}))

    def _break(self, part: str) -> None:
        if part in self.broken:
            raise ValueError(part)


async def messages_of(*broken: str) -> list[dict[str, Any]]:
    """What the socket sends to a client that sends one message, and disconnects when it is closed or after that."""
    incoming: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    sent: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)
        if message["type"] == "websocket.close":
            incoming.put_nowait({"type": "websocket.disconnect", "code": message["code"]})

    socket = Fragile()
    socket.broken = frozenset(broken)
    incoming.put_nowait({"type": "websocket.connect"})
    incoming.put_nowait({"type": "websocket.receive", "text": "hello"})
    if "detach" in broken:
        incoming.put_nowait({"type": "websocket.disconnect", "code": 1006})
    async with asyncio.timeout(30):
        await socket({"type": "websocket"}, incoming.get, send)
    assert not socket.is_served
    return sent[1:]


ERROR = {"type": "websocket.send", "text": json.dumps({"what": InternalError.what})}
CLOSE = {"type": "websocket.close", "code": CloseCode.FAILED, "reason": InternalError.what}


@pytest.mark.parametrize("part", ["job", "message"])
async def test_an_error_is_sent_and_the_socket_is_closed(part, caplog):
    assert await messages_of(part) == [ERROR, CLOSE]
    assert f"ValueError: {part}" in caplog.text


async def test_an_error_that_cannot_be_sent_closes_the_socket_too():
    assert await messages_of("job", "error") == [CLOSE]


async def test_a_client_that_is_gone_ends_the_job_whatever_happens():
    await messages_of("detach")


@pytest.mark.django_db(transaction=True)
async def test_a_recording_whose_decoder_raises_ends_its_stream():
    async def pcm() -> AsyncGenerator[bytes]:
        yield bytes(3840)
        raise ValueError("a bug in the decoder")

    caller = Caller(await in_database(create_user), frozenset({STT}), is_job=True)
    async with isolated_layer() as layer, asyncio.timeout(30):
        engine = asyncio.create_task(Worker(layer, ENGINES["checksum"], 1).run())
        with pytest.raises(InternalError):
            async for _ in transcription_events(caller, pcm()):
                pass
        engine.cancel()
        await asyncio.gather(engine, return_exceptions=True)
