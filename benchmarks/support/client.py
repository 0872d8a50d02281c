"""A live client that keeps audio until its words are stored, and reconnects until all of them are."""

import asyncio
import contextlib
import json
import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import websockets
from websockets.asyncio.client import ClientConnection

RATE = 24_000
FRAME_BYTES = 3_840
FRAME_SECONDS = 0.08
MAX_UNPROCESSED = 10 * RATE
MAX_UNSTORED = 60 * RATE
PING_INTERVAL = 1.0
TIMEOUT = 3.0
MAX_BACKOFF = 2.0
SESSION_NOT_FOUND = 4013

CONNECTION_ERRORS = (OSError, TimeoutError, websockets.WebSocketException)


@dataclass
class Observations:
    """Messages of one session as the client received them; times are monotonic seconds of this process."""

    words: dict[int, str] = field(default_factory=dict)
    new_words_at: list[float] = field(default_factory=list)
    disturbed_at: list[float] = field(default_factory=list)
    contradicted: int = 0
    """Final words that were received again with another text."""
    closed: Counter[int] = field(default_factory=Counter)


class Client:
    def __init__(self, url: Callable[[], str], origin: str, pcm: bytes, speed: float = 1.0) -> None:
        """`url()` returns a WebSocket URL with a new ticket. `pcm` is s16le at 24 kHz, sent `speed` times as fast as
        real time."""
        self.session: str | None = None
        self.observed = Observations()
        self._url = url
        self._origin = origin
        self._pcm = pcm
        self._speed = speed
        self._socket: ClientConnection | None = None
        self._newest = -1
        self.is_done = False

    async def run(self) -> None:
        """Returns when the server reports that everything is stored."""
        self._started_at = time.monotonic()
        failures = 0
        while not self.is_done:
            connected_at = time.monotonic()
            with contextlib.suppress(*CONNECTION_ERRORS):
                await self._connect()
            if self.is_done:
                return
            self.observed.disturbed_at.append(time.monotonic())
            failures = 0 if time.monotonic() - connected_at > MAX_BACKOFF else failures + 1
            await asyncio.sleep(random.random() * min(0.1 * 2**failures, MAX_BACKOFF))

    def disconnect(self) -> None:
        """Simulate a lost network: abort the connection without a close frame."""
        if self._socket:
            self._socket.transport.abort()

    def reload(self) -> None:
        """Simulate a reload of the page: it keeps the audio and the session ID, but no words."""
        self.observed.words.clear()
        self.disconnect()

    def end_audio(self) -> bytes:
        """End the audio at the current position, and return it."""
        self._pcm = self._pcm[: 2 * self._recorded]
        return self._pcm

    async def _connect(self) -> None:
        connect = websockets.connect(self._url(), origin=self._origin, compression=None, open_timeout=TIMEOUT)
        async with connect as self._socket:
            await self._send_command(type="start", session=self.session, wait=True)
            self._sending: asyncio.Task[None] | None = None
            pinging = asyncio.create_task(self._ping())
            try:
                while not self.is_done:
                    async with asyncio.timeout(TIMEOUT):
                        message = await self._socket.recv()
                    self._handle(json.loads(message))
            finally:
                for task in (pinging, self._sending):
                    if task:
                        task.cancel()
                if code := self._socket.close_code:
                    self.observed.closed[code] += 1
                self._socket.transport.abort()

    async def _send_command(self, **message: Any) -> None:
        assert self._socket
        await self._socket.send(json.dumps(message))

    async def _ping(self) -> None:
        with contextlib.suppress(*CONNECTION_ERRORS):
            while True:
                await asyncio.sleep(PING_INTERVAL)
                await self._send_command(type="ping", at=0)

    async def _send_audio(self, position: int) -> None:
        """Send the recorded audio as fast as the server processes it, then continue in real time."""
        sent = 2 * position
        with contextlib.suppress(*CONNECTION_ERRORS):
            while sent < len(self._pcm):
                limit = 2 * min(self._recorded, self._processed + MAX_UNPROCESSED, self._stored + MAX_UNSTORED)
                while sent < limit:
                    assert self._socket
                    end = min(sent + FRAME_BYTES, limit)
                    await self._socket.send(self._pcm[sent:end])
                    sent = end
                await asyncio.sleep(FRAME_SECONDS)
            await self._send_command(type="stop")

    @property
    def _recorded(self) -> int:
        return min(int((time.monotonic() - self._started_at) * self._speed * RATE), len(self._pcm) // 2)

    def _handle(self, message: dict[str, Any]) -> None:
        match message["type"]:
            case "ready":
                self.session = message["session"]
                self._discard_words_from(message["words"])
                self._processed = self._stored = message["position"]
                self._sending = asyncio.create_task(self._send_audio(message["position"]))
            case "step":
                self._processed = max(self._processed, message["sample"])
            case "ack":
                self._stored = message["sample"]
            case "word":
                self._record_word(message["index"], message["text"])
            case "interrupted":
                self.observed.disturbed_at.append(time.monotonic())
                self._discard_words_from(message["words"])
            case "error" if message["code"] == SESSION_NOT_FOUND:
                self.session = None  # the server received nothing of it
            case "done":
                self.is_done = True

    def _discard_words_from(self, index: int) -> None:
        self.observed.words = {number: text for number, text in self.observed.words.items() if number < index}

    def _record_word(self, index: int, text: str) -> None:
        if self.observed.words.setdefault(index, text) != text:
            self.observed.contradicted += 1
        if index > self._newest:
            self._newest = index
            self.observed.new_words_at.append(time.monotonic())
