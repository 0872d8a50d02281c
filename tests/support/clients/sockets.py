"""Client of the live page's WebSocket, without a browser."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Self

import websockets
from websockets.asyncio.client import ClientConnection

from inference.messages import FRAME_BYTES
from tests.support.servers.site import Site

Message = dict[str, Any]


def tickets(site: Site, count: int = 1, email: str = "speaker@example.org") -> list[str]:
    """Tickets of an approved user, created if needed; they live longer than those of the page."""
    return site.shell(
        "from datetime import timedelta\n"
        "from accounts.credentials.jwt import tokens\n"
        "from accounts.models import User\n"
        f"user = User.objects.filter(email={email!r}).first() or User.objects.create_superuser({email!r})\n"
        f"for _ in range({count}): print(tokens.issue(user, tokens.TICKET_AUDIENCE, timedelta(minutes=10)))"
    ).split()


class LiveSocket:
    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.received: list[Message] = []

    async def start(self, **options: Any) -> Message:
        await self.send(type="start", **options)
        return await self.until("ready")

    async def send(self, **message: Any) -> None:
        await self.socket.send(json.dumps(message))

    async def send_audio(self, pcm: bytes, pace: float = 0.0) -> None:
        """Send s16le at 24 kHz, frame by frame, `pace` seconds apart."""
        for start in range(0, len(pcm), FRAME_BYTES):
            await self.socket.send(pcm[start : start + FRAME_BYTES])
            await asyncio.sleep(pace)

    async def until(self, kind: str, within: float = 60.0) -> Message:
        """Return the next message of this type; all messages are added to `received`."""
        async with asyncio.timeout(within):
            while (message := await self.next())["type"] != kind:
                assert message["type"] != "error", message
        return message

    async def next(self, within: float | None = None) -> Message:
        async with asyncio.timeout(within):
            message: Message = json.loads(await self.socket.recv())
        self.received.append(message)
        return message

    async def closed(self, within: float = 60.0) -> tuple[int | None, Message]:
        """Receive until the server closes. Returns the close code and the last error message, or {}."""
        async with asyncio.timeout(within):
            try:
                while True:
                    self.received.append(json.loads(await self.socket.recv()))
            except websockets.ConnectionClosed:
                pass
        errors = [message for message in self.received if message["type"] == "error"]
        return self.socket.close_code, errors[-1] if errors else {}

    async def stop(self, within: float = 60.0) -> Message:
        await self.send(type="stop")
        done = await self.until("done", within)
        await self.closed()
        return done

    def words(self) -> list[str]:
        """Words as a page shows them: words that the server will send again are removed when it announces so."""
        words: list[str] = []
        for message in self.received:
            if message["type"] == "word":
                assert message["index"] == len(words)
                words.append(message["text"])
            elif message["type"] in ("ready", "interrupted"):
                del words[message["words"] :]
        return words

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.socket.close()


@asynccontextmanager
async def live_socket(site: Site, ticket: str, at: str = "", **options: Any) -> AsyncIterator[LiveSocket]:
    """`at`: URL of one web process, if the site has several."""
    at = at or site.url
    url = f"{at.replace('http', 'ws')}/ws/live/?ticket={ticket}"
    options = {"origin": at, "compression": None, **options}
    async with websockets.connect(url, **options) as socket:
        yield LiveSocket(socket)


def stored_words(site: Site, session: str) -> list[str]:
    return site.shell(
        "from speech.models import Session\n"
        f"print(*Session.objects.get(pk={session!r}).words.values_list('text', flat=True))"
    ).split()
