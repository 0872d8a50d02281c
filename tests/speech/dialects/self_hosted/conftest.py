"""Connections to the shared checksum site, with a token in the query as clients that can't send headers have it."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import Any

import pytest
import websockets

from speech.dialects.audio import AudioDecoder
from tests.support.servers.site import Site
from tests.support.speech.checksum_audio import words_of

Connect = Callable[..., AbstractAsyncContextManager["Client"]]


class Client:
    def __init__(self, socket: websockets.ClientConnection) -> None:
        self.socket = socket

    async def send(self, message: bytes | dict[str, Any]) -> None:
        await self.socket.send(json.dumps(message) if isinstance(message, dict) else message)

    async def receive(self) -> dict[str, Any]:
        message: dict[str, Any] = json.loads(await self.socket.recv())
        return message

    async def ask(self, message: bytes | dict[str, Any]) -> dict[str, Any]:
        await self.send(message)
        return await self.receive()

    async def until_closed(self) -> list[dict[str, Any]]:
        received = []
        with suppress(websockets.ConnectionClosed):
            while True:
                received.append(await self.receive())
        return received


@pytest.fixture
def connect(site: Site, token: str) -> Connect:
    @asynccontextmanager
    async def connect(path: str, **query: Any) -> AsyncIterator[Client]:
        parameters = "&".join(f"{name}={value}" for name, value in {"token": token, **query}.items())
        url = f"{site.url.replace('http', 'ws')}/{path}?{parameters}"
        async with asyncio.timeout(60), websockets.connect(url) as socket:
            yield Client(socket)

    return connect


def words_at_16_khz(data: bytes, format: str = "s16le") -> list[str]:
    """Words of audio at 16 kHz, which the site converts to 24 kHz."""
    decoder = AudioDecoder(format, 16_000)
    return words_of(decoder.decode(data) + decoder.flush())
