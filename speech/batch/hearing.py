"""A stream for a client that simply has audio: it may come before the stream is ready and in its pauses, and is handed
over as fast as it is heard."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import aclosing
from enum import Enum
from typing import Any

from accounts.credentials.principal import Caller
from inference.messages import BYTES_PER_SAMPLE, SAMPLE_RATE
from speech import events
from speech.errors import StreamError, TooFast
from speech.gateway.revocation_guard import revocation_guard
from speech.live.event_stream import Emit
from speech.live.stream import Intent, Stream

AHEAD_OF_HEARD = 10 * SAMPLE_RATE
AHEAD_OF_STORED = 60 * SAMPLE_RATE
"""Samples handed over that are not yet heard, or stored; the stream holds twice as many."""
WAITING_AT_MOST = 120 * SAMPLE_RATE * BYTES_PER_SAMPLE
"""Bytes not yet handed over."""


class _Mark(Enum):
    FLUSH = "flush"
    END = "end"


class Hearing:
    def __init__(self, caller: Caller, tell: Emit, **wishes: Any) -> None:
        """`wishes` and the events that are told are those of `Stream`; `Paused` says that a `flush` is done."""
        self._caller = caller
        self._tell = tell
        self._stream = Stream(caller.user, self._hear, **wishes)
        self._waiting: deque[bytes | _Mark] = deque()
        self._waiting_bytes = 0
        self._fed = self._heard = self._stored = 0  # samples
        self._is_paused = False
        self._has_room = asyncio.Event()
        self._has_room.set()

    def say(self, pcm: bytes) -> None:
        """s16le, mono, 24 kHz, whole samples. Raises `TooFast` if more waits than is held for one who cannot wait."""
        if self._waiting_bytes > WAITING_AT_MOST:
            raise TooFast
        self._put(pcm)

    async def say_all(self, pcm: AsyncGenerator[bytes]) -> None:
        """And that is the end. Takes no more from `pcm` than is heard."""
        async with aclosing(pcm):
            try:
                async for chunk in pcm:
                    self.say(chunk)
                    await self._has_room.wait()
                self.end()
            except StreamError as error:
                self.fail(error)

    def flush(self) -> None:
        """Bring what was said so far to its end, and go on with what follows."""
        self._put(_Mark.FLUSH)

    def end(self) -> None:
        self._put(_Mark.END)

    def fail(self, error: StreamError) -> None:
        self._stream.fail(error)

    def abandon(self) -> None:
        self._stream.detach()

    async def run(self) -> None:
        """Returns when all was heard to the end, or nobody listens any more. Raises `StreamError`."""
        with revocation_guard(self._caller, self.fail):
            await self._stream.run()

    # --- From the client to the stream ------------------------------------------------------------------------------

    def _put(self, item: bytes | _Mark) -> None:
        self._waiting.append(item)
        self._waiting_bytes += len(item) if isinstance(item, bytes) else 0
        self._wake()
        self._pump()

    def _wake(self) -> None:
        """After a pause a slot is asked for when there is something to hear."""
        if not self._is_paused:
            return
        while self._waiting and self._waiting[0] is _Mark.FLUSH:
            self._waiting.popleft()
        if self._waiting:
            self._is_paused = False
            self._stream.set_intent(Intent.STOP if self._waiting[0] is _Mark.END else Intent.RUN)

    def _pump(self) -> None:
        while self._waiting and self._takes_more:
            match self._waiting.popleft():
                case _Mark.FLUSH:
                    self._stream.set_intent(Intent.PAUSE)
                case _Mark.END:
                    self._stream.set_intent(Intent.STOP)
                case bytes() as pcm:
                    self._waiting_bytes -= len(pcm)
                    self._fed += len(pcm) // BYTES_PER_SAMPLE
                    self._stream.feed(pcm)
        if self._waiting:
            self._has_room.clear()
        else:
            self._has_room.set()

    @property
    def _takes_more(self) -> bool:
        is_ahead = self._fed - self._heard > AHEAD_OF_HEARD or self._fed - self._stored > AHEAD_OF_STORED
        return self._stream.accepts_audio and not is_ahead

    # --- From the stream to the client ------------------------------------------------------------------------------

    async def _hear(self, event: events.Event) -> None:
        match event:
            case events.Step(sample=sample):
                self._heard = sample
            case events.Ack(sample=sample):
                self._stored = sample
            case events.Paused():
                self._is_paused = True
        await self._tell(event)
        self._wake()
        self._pump()
