"""Client of the Talk page's WebSocket, without a browser."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import websockets
from websockets.asyncio.client import ClientConnection

from inference.engines.testing.encoded_words import silence, spoken
from inference.messages import FRAME_BYTES, FRAME_SAMPLES
from tests.support.servers.site import Site

Message = dict[str, Any]
TIMEOUT = 60.0


class TalkClient:
    def __init__(self, socket: ClientConnection) -> None:
        self.received: list[Message] = []
        self.audio: dict[int, bytes] = {}  # by reply
        self.reply = 0  # the latest
        self.position = 0  # samples of the session that were sent
        self._socket = socket
        self._played: dict[int, int] = {}
        self._receiving = asyncio.create_task(self._receive())

    async def start(self, **options: Any) -> Message:
        await self.send(type="start", **options)
        ready = await self.until("ready")
        self.position = ready["position"]
        return ready

    async def send(self, **message: Any) -> None:
        await self._socket.send(json.dumps(message))

    async def send_audio(self, pcm: bytes) -> None:
        """Send s16le at 24 kHz in whole frames, and wait until they are processed."""
        for start in range(0, len(pcm), FRAME_BYTES):
            await self._socket.send(pcm[start : start + FRAME_BYTES])
        self.position += len(pcm) // 2
        await self._wait(lambda: any(step["sample"] >= self.position for step in self.all("step")[-3:]))

    async def ask(self, text: str) -> None:
        """Speak a turn, and wait until its reply begins."""
        count = len(self.all("reply_started"))
        await self.send_audio(spoken(text) + silence(0.64))
        await self.until("reply_started", count + 1)

    async def listen(self, frames: int) -> None:
        """Play the current reply for this many frames of 80 ms, in silence."""
        reply = self.reply
        for _ in range(frames):
            end = self._played.get(reply, 0) + FRAME_SAMPLES
            await self._wait(lambda end=end: len(self.audio[reply]) // 2 >= end)
            await self.send_audio(silence(0.08))
            self._played[reply] = end
            await self.send(type="played", reply=reply, sample=end, at=self.position)

    async def until(self, kind: str, count: int = 1) -> Message:
        """The message number `count` of this type, counted from 1."""
        await self._wait(lambda: len(self.all(kind)) >= count)
        return self.all(kind)[count - 1]

    async def closed(self) -> tuple[int | None, Message]:
        """Wait until the server closes. Returns the close code and the last error message, or {}."""
        async with asyncio.timeout(TIMEOUT):
            await self._receiving
        errors = self.all("error")
        return self._socket.close_code, errors[-1] if errors else {}

    def abort(self) -> None:
        """Lose the connection, without a close frame."""
        self._socket.transport.abort()

    async def stop(self) -> Message:
        await self.send(type="stop")
        done = await self.until("done")
        await self.closed()
        return done

    def all(self, kind: str) -> list[Message]:
        return [message for message in self.received if message["type"] == kind]

    async def _wait(self, condition: Any) -> None:
        async with asyncio.timeout(TIMEOUT):
            while not condition():
                assert not self._receiving.done() or condition(), self.received[-1]
                await asyncio.sleep(0.005)

    async def _receive(self) -> None:
        with suppress(websockets.ConnectionClosed):
            while True:
                data = await self._socket.recv()
                if isinstance(data, bytes):
                    self.audio[self.reply] += data
                    continue
                message = json.loads(data)
                if message["type"] == "reply_started":
                    self.reply = message["reply"]
                    self.audio[self.reply] = b""
                self.received.append(message)


@asynccontextmanager
async def talk_client(site: Site, ticket: str) -> AsyncIterator[TalkClient]:
    url = f"{site.url.replace('http', 'ws')}/ws/talk/?ticket={ticket}"
    async with websockets.connect(url, origin=site.url, compression=None) as socket:
        client = TalkClient(socket)
        yield client
        await socket.close()  # while the client still receives, or the server's close is not read
        await client._receiving
