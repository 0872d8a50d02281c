"""A client that keeps the audio until its words are stored, and comes back until all of them are."""

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
MOST_UNHEARD = 10 * RATE
MOST_UNSTORED = 60 * RATE
PING_EVERY = 1.0
DEAD_AFTER = 3.0
LONGEST_BACK_OFF = 2.0
NO_SESSION = 4013

GONE = (OSError, TimeoutError, websockets.WebSocketException)


@dataclass
class Seen:
    """What a listener saw of one session, by the clock of this process (monotonic seconds)."""

    words: dict[int, str] = field(default_factory=dict)
    new_words_at: list[float] = field(default_factory=list)
    disturbed_at: list[float] = field(default_factory=list)
    contradicted: int = 0
    """Words that stood, and came again as others."""
    closed: Counter[int] = field(default_factory=Counter)


class Speaker:
    def __init__(self, url: Callable[[], str], origin: str, pcm: bytes, speed: float = 1.0) -> None:
        """`url()` gives the address of a web process, with a new ticket. `pcm` is s16le at 24 kHz; it is spoken `speed`
        times as fast as it will be played."""
        self.session: str | None = None
        self.seen = Seen()
        self._url = url
        self._origin = origin
        self._pcm = pcm
        self._speed = speed
        self._socket: ClientConnection | None = None
        self._newest = -1
        self.is_done = False

    async def run(self) -> None:
        """Returns when the server says that everything is stored."""
        self._began = time.monotonic()
        failures = 0
        while not self.is_done:
            connected_at = time.monotonic()
            with contextlib.suppress(*GONE):
                await self._converse()
            if self.is_done:
                return
            self.seen.disturbed_at.append(time.monotonic())
            failures = 0 if time.monotonic() - connected_at > LONGEST_BACK_OFF else failures + 1
            await asyncio.sleep(random.random() * min(0.1 * 2**failures, LONGEST_BACK_OFF))

    def cut(self) -> None:
        """The network is gone, without a word."""
        if self._socket:
            self._socket.transport.abort()

    def reload(self) -> None:
        """The page is loaded again: it has the audio and the session's id, and no word."""
        self.seen.words.clear()
        self.cut()

    def fall_silent(self) -> bytes:
        """Say no more than was said by now, which is returned."""
        self._pcm = self._pcm[: 2 * self._recorded]
        return self._pcm

    # --- One socket -------------------------------------------------------------------------------------------------

    async def _converse(self) -> None:
        connect = websockets.connect(self._url(), origin=self._origin, compression=None, open_timeout=DEAD_AFTER)
        async with connect as self._socket:
            await self._say(type="start", session=self.session, wait=True)
            self._sending: asyncio.Task[None] | None = None
            pinging = asyncio.create_task(self._ping())
            try:
                while not self.is_done:
                    async with asyncio.timeout(DEAD_AFTER):
                        message = await self._socket.recv()
                    self._take(json.loads(message))
            finally:
                for task in (pinging, self._sending):
                    if task:
                        task.cancel()
                if code := self._socket.close_code:
                    self.seen.closed[code] += 1
                self._socket.transport.abort()

    async def _say(self, **message: Any) -> None:
        assert self._socket
        await self._socket.send(json.dumps(message))

    async def _ping(self) -> None:
        with contextlib.suppress(*GONE):
            while True:
                await asyncio.sleep(PING_EVERY)
                await self._say(type="ping", at=0)

    async def _send(self, position: int) -> None:
        """What was spoken so far, as fast as it is heard; then go on with the speaker."""
        sent = 2 * position
        with contextlib.suppress(*GONE):
            while sent < len(self._pcm):
                may_send = 2 * min(self._recorded, self._heard + MOST_UNHEARD, self._stored + MOST_UNSTORED)
                while sent < may_send:
                    assert self._socket
                    end = min(sent + FRAME_BYTES, may_send)
                    await self._socket.send(self._pcm[sent:end])
                    sent = end
                await asyncio.sleep(FRAME_SECONDS)
            await self._say(type="stop")

    @property
    def _recorded(self) -> int:
        return min(int((time.monotonic() - self._began) * self._speed * RATE), len(self._pcm) // 2)

    def _take(self, message: dict[str, Any]) -> None:
        match message["type"]:
            case "ready":
                self.session = message["session"]
                self._forget_from(message["words"])
                self._heard = self._stored = message["position"]
                self._sending = asyncio.create_task(self._send(message["position"]))
            case "step":
                self._heard = max(self._heard, message["sample"])
            case "ack":
                self._stored = message["sample"]
            case "word":
                self._note_word(message["index"], message["text"])
            case "interrupted":
                self.seen.disturbed_at.append(time.monotonic())
                self._forget_from(message["words"])
            case "error" if message["code"] == NO_SESSION:
                self.session = None  # nothing of it had come through
            case "done":
                self.is_done = True

    def _forget_from(self, index: int) -> None:
        self.seen.words = {number: text for number, text in self.seen.words.items() if number < index}

    def _note_word(self, index: int, text: str) -> None:
        if self.seen.words.setdefault(index, text) != text:
            self.seen.contradicted += 1
        if index > self._newest:
            self._newest = index
            self.seen.new_words_at.append(time.monotonic())
