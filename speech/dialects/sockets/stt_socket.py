"""Base of the API's speech-to-text sockets: each carries one stream."""

import asyncio
import time
from abc import abstractmethod
from contextlib import nullcontext, suppress

from inference.messages import SAMPLE_RATE
from speech import events
from speech.dialects.sockets.api_socket import ApiSocket
from speech.errors import ProtocolError, StreamError
from speech.live.stream import Stream
from speech.live.stream_limit import program_stream
from speech.live.stream_options import StreamOptions
from speech.live.stream_state import Intent

MAX_BUFFERED = 60 * SAMPLE_RATE
"""Samples buffered of a client that sends faster than the engine processes; the server then stops reading..."""
RESUME_BELOW = 30 * SAMPLE_RATE
"""...until no more than this are buffered."""
IDLE_TIMEOUT = 120.0
"""Seconds without audio after which the stream is stopped."""
POLL_INTERVAL = 0.5


class SttSocket(ApiSocket):
    idle_timeout = IDLE_TIMEOUT

    # --- For the dialect --------------------------------------------------------------------------------------------

    @abstractmethod
    async def receive_audio(self, data: bytes) -> None:
        """Handle a binary message. Raises `StreamError`."""

    async def receive_text(self, text: str) -> None:
        """Handle a text message; ignored by default. Raises `StreamError`."""

    @abstractmethod
    async def send_event(self, event: events.Event) -> None: ...

    def parse_query(self) -> None:
        """Validate the query. Raises `ProtocolError`, which is sent once the connection is open."""

    def stream_options(self) -> StreamOptions:
        """Options of the stream; a dialect may have other names for them."""
        engine, language = self.query.get("engine", ""), self.query.get("language", "")
        return StreamOptions(engine=engine, language=language, keep=self.is_saved)

    # --- The stream -------------------------------------------------------------------------------------------------

    def prepare(self) -> None:
        """Create the stream before anything is read: clients may send audio before they are asked to."""
        self._stops = False
        self._last_received_at = time.monotonic()
        self._room = asyncio.Event()
        self._room.set()
        self._query_error: ProtocolError | None = None
        try:
            self.parse_query()
        except ProtocolError as error:
            self._query_error = error
        self.create_stream()

    def create_stream(self) -> None:
        self.stream = Stream(self.caller.user, self._on_event, self.stream_options())

    async def serve(self) -> None:
        if self._query_error:
            raise self._query_error
        watches = [
            asyncio.create_task(self.fail_at_capacity("stt")),
            asyncio.create_task(self._stop_when_idle()),
        ]
        try:
            with nullcontext() if self.is_saved else program_stream(self.caller.user):
                await self.stream.run()
        finally:
            for watch in watches:
                watch.cancel()
            self._resume_reading()

    async def _on_event(self, event: events.Event) -> None:
        await self.send_event(event)
        if isinstance(event, events.Ready) and not self.is_ready:
            self.is_ready = True
            if self._stops:
                self.stop()
        if not self._room.is_set() and self.stream.buffered < RESUME_BELOW:
            self._resume_reading()

    async def _stop_when_idle(self) -> None:
        while time.monotonic() - self._last_received_at < self.idle_timeout:  # noqa: ASYNC110  (an event for every frame costs more)
            await asyncio.sleep(POLL_INTERVAL)
        self.stop()

    def stop(self) -> None:
        """No more audio follows. Before the stream is ready this is deferred: there would be nothing to transcribe."""
        self._stops = True
        if self.is_ready:
            self.stream.set_intent(Intent.STOP)

    def fail(self, error: StreamError) -> None:
        self.stream.fail(error)

    def detach(self) -> None:
        """A saved session is transcribed to its end; an unsaved one is over, because its client is gone."""
        if self.is_saved:
            with suppress(StreamError):
                self.stop()
        else:
            super().detach()

    # --- From the client --------------------------------------------------------------------------------------------

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        await self._room.wait()
        if not self.is_served:
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
        """What the client sends meanwhile stays with it, or in the network."""
        self._room.clear()
        if reading := self.scope.get("extensions", {}).get("reading"):
            reading["pause"]()

    def _resume_reading(self) -> None:
        self._room.set()
        if reading := self.scope.get("extensions", {}).get("reading"):
            reading["resume"]()
