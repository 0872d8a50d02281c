"""Client of Kyutai's protocol whose messages the test sends one by one."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgpack
import numpy as np
import websockets
from websockets.asyncio.client import ClientConnection

from tests.support.servers.site import Site

Message = dict[str, Any]


class KyutaiSocket:
    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.received: list[Message] = []

    async def send(self, **message: Any) -> None:
        await self.socket.send(msgpack.packb(message, use_single_float=True))

    async def send_audio(self, pcm: bytes, samples: int = 1920) -> None:
        """Send s16le in messages of `samples`."""
        audio = np.frombuffer(pcm, "<i2") / 32768
        for start in range(0, len(audio), samples):
            await self.send(type="Audio", pcm=audio[start : start + samples].tolist())

    async def next(self, within: float = 60.0) -> Message:
        async with asyncio.timeout(within):
            message: Message = msgpack.unpackb(await self.socket.recv())
        self.received.append(message)
        return message

    async def until(self, kind: str, within: float = 60.0) -> Message:
        async with asyncio.timeout(within):
            while (message := await self.next())["type"] != kind:
                assert message["type"] != "Error", message
        return message

    async def closed(self, within: float = 60.0) -> int | None:
        """Receive messages until the server closes; return the close code."""
        async with asyncio.timeout(within):
            try:
                while True:
                    await self.next(within)
            except websockets.ConnectionClosed:
                return self.socket.close_code

    def all(self, kind: str, key: str) -> list[Any]:
        return [message[key] for message in self.received if message["type"] == kind]


@asynccontextmanager
async def asr_streaming(site: Site, token: str, query: str = "", **options: Any) -> AsyncIterator[KyutaiSocket]:
    url = f"{site.url.replace('http', 'ws')}/api/asr-streaming{query}"
    headers = {"kyutai-api-key": token} if token else {}
    async with websockets.connect(url, additional_headers=headers, **options) as socket:
        yield KyutaiSocket(socket)
