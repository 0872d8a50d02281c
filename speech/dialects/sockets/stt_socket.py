"""A program's socket into which somebody speaks: carries one stream from its beginning to its end."""

import asyncio
import time
from abc import abstractmethod
from contextlib import nullcontext, suppress
from typing import Any

from inference.messages import SAMPLE_RATE
from speech import errors, events
from speech.dialects.sockets.api_socket import ApiSocket
from speech.errors import StreamError
from speech.gateway.link import Link
from speech.live.stream import Intent, Stream
from speech.live.stream_limit import stream_limit

MAX_BUFFERED = 60 * SAMPLE_RATE
"""Samples held of a client that sends faster than it is heard; it is read no further..."""
RESUME_BELOW = 30 * SAMPLE_RATE
"""...until no more are held than this."""
CAPACITY_TIMEOUT = 0.4
"""Seconds without a slot after which it is said that there is none: some clients give up after half of one."""
IDLE_TIMEOUT = 120.0
"""Seconds without audio after which a client is taken to have nothing more to say."""
POLL_INTERVAL = 0.5


class SttSocket(ApiSocket):
    idle_timeout = IDLE_TIMEOUT

    # --- For the dialect --------------------------------------------------------------------------------------------

    @abstractmethod
    async def receive_audio(self, data: bytes) -> None:
        """A binary message of the client's. Raises `StreamError`."""

    async def receive_text(self, text: str) -> None:
        """A text message of the client's, which is nothing by default. Raises `StreamError`."""

    @abstractmethod
    async def send_event(self, event: events.Event) -> None: ...

    # --- The stream -------------------------------------------------------------------------------------------------

    async def serve(self) -> None:
        watch = asyncio.create_task(self._watch())
        try:
            with nullcontext() if self.is_saved else stream_limit(self.caller.user):
                await self.stream.run()
        finally:
            watch.cancel()
            self._resume_reading()

    def prepare(self) -> None:
        """The stream is there before anything is read: clients may speak before they are told to."""
        self._is_ready = self._stops = False
        self._last_received_at = time.monotonic()
        self._room = asyncio.Event()
        self._room.set()
        self.stream = Stream(
            self.caller.user,
            self._on_event,
            keep=self.is_saved,
            **self.stream_options,
        )

    @property
    def stream_options(self) -> dict[str, Any]:
        """For the stream; a dialect may have other names for them."""
        return {"engine": self.query.get("engine", ""), "language": self.query.get("language", "")}

    async def _on_event(self, event: events.Event) -> None:
        await self.send_event(event)
        if isinstance(event, events.Ready) and not self._is_ready:
            self._is_ready = True
            if self._stops:
                self.stop()
        if not self._room.is_set() and self.stream.buffered < RESUME_BELOW:
            self._resume_reading()

    async def _watch(self) -> None:
        await asyncio.sleep(CAPACITY_TIMEOUT)
        there = await Link.current().engines()
        if not self._is_ready and there and not any(status.free for status in there.values()):
            self.fail(errors.AtCapacity())
        while time.monotonic() - self._last_received_at < self.idle_timeout:  # noqa: ASYNC110  (an event for every frame costs more)
            await asyncio.sleep(POLL_INTERVAL)
        self.stop()

    def stop(self) -> None:
        """Nothing more follows. Not before it has begun: then there would be nothing to tell of it."""
        self._stops = True
        if self._is_ready:
            self.stream.set_intent(Intent.STOP)

    def fail(self, error: StreamError) -> None:
        self.stream.fail(error)

    def on_client_gone(self) -> None:
        """What is kept is heard to its end; what is not is over, since nobody listens."""
        if self.is_saved:
            with suppress(StreamError):
                self.stop()
        else:
            super().on_client_gone()

    # --- From the client --------------------------------------------------------------------------------------------

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        await self._room.wait()
        if self._task.done():
            return
        try:
            if bytes_data is None:
                await self.receive_text(text_data or "")
            else:
                self._last_received_at = time.monotonic()
                await self.receive_audio(bytes_data)
        except StreamError as error:
            self.fail(error)
        if self.stream.buffered > MAX_BUFFERED:
            self._pause_reading()

    def _pause_reading(self) -> None:
        """What the client sends meanwhile waits with it, or on the way."""
        self._room.clear()
        if reading := self.scope.get("extensions", {}).get("reading"):
            reading["stop"]()

    def _resume_reading(self) -> None:
        self._room.set()
        if reading := self.scope.get("extensions", {}).get("reading"):
            reading["go on"]()
