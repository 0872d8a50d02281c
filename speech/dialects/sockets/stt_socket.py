"""Base of the API's speech-to-text sockets: each carries one stream.

What a client sends faster than the stream processes it, or while it does not read what it is sent, waits in a backlog:
messages of a client are handled in their order, and the server reads on, because its pings are among them.
"""

import asyncio
import logging
import time
from abc import abstractmethod
from contextlib import nullcontext, suppress
from functools import partial

from inference.messages import SAMPLE_RATE
from speech import events
from speech.dialects.sockets.api_socket import ApiSocket
from speech.dialects.sockets.backlog import Backlog
from speech.errors import ProtocolError, StreamError, TooSlow
from speech.live.stream import Stream
from speech.live.stream_limit import program_stream
from speech.live.stream_options import StreamOptions
from speech.live.stream_state import Intent

logger = logging.getLogger(__name__)

MAX_LAG = 8.0
"""Seconds of audio that the stream has not processed, above which messages wait: twice of what keeps an engine busy."""
MAX_BUFFERED = 110 * SAMPLE_RATE
"""Samples in the stream's buffer, above which messages wait: fewer than the stream's own limit, and more than the
longest segment, which has to end before they can be discarded."""
MAX_FLUSHES = 50
"""Pending flushes, from which on messages wait: fewer than the stream's own limit."""
UNREAD_TIMEOUT = 300.0
"""Seconds for which a client need not read anything: it may first send a long recording."""
KEEP_INTERVAL = 5.0
"""Seconds between two signs of life to the engine while messages wait, fewer than `REST_AFTER` of streams."""
IDLE_TIMEOUT = 120.0
"""Seconds without audio after which the stream is stopped."""
POLL_INTERVAL = 0.5


class SttSocket(ApiSocket):
    idle_timeout = IDLE_TIMEOUT
    is_behind = False
    """Messages of the client wait to be handled."""

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
        self._backlog = Backlog()
        self._is_leaving = False
        self._progress = asyncio.Event()
        self._query_error: ProtocolError | None = None
        try:
            self.parse_query()
        except ProtocolError as error:
            self._query_error = error
        self.create_stream()

    def create_stream(self) -> None:
        self.stream = Stream(self.caller.user, self._on_event, self.stream_options())

    async def run_job(self) -> None:
        try:
            with self.watched(self._work_off_backlog):
                await super().run_job()
        finally:
            await self._backlog.close()

    async def serve(self) -> None:
        if self._query_error:
            raise self._query_error
        with (
            self.watched(partial(self.fail_at_capacity, "stt"), self._stop_when_idle),
            nullcontext() if self.is_saved else program_stream(self.caller.user),
        ):
            await self.stream.run()

    async def _on_event(self, event: events.Event) -> None:
        await self.send_event(event)
        if isinstance(event, events.Ready) and not self.is_ready:
            self.is_ready = True
            if self._stops:
                self.stop()
        self._progress.set()

    async def _stop_when_idle(self) -> None:
        while self._is_active:  # noqa: ASYNC110  (an event for every frame costs more)
            await asyncio.sleep(POLL_INTERVAL)
        self.stop()

    @property
    def _is_active(self) -> bool:
        return self.is_behind or time.monotonic() - self._last_received_at < self.idle_timeout

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
            self._is_leaving = True
            if not self.is_behind:
                self._leave()
        else:
            super().detach()

    def _leave(self) -> None:
        with suppress(StreamError):
            self.stop()

    # --- From the client --------------------------------------------------------------------------------------------

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if not self.is_served:
            return
        message = bytes_data if bytes_data is not None else text_data or ""
        if not self.is_behind and self._has_room:
            await self._handle(message)
            return
        self.is_behind = True
        self._backlog.put(message)
        if self._backlog.must_store:
            self._pause_reading()
            try:
                await self._backlog.store()
            finally:
                self._resume_reading()

    async def _handle(self, message: str | bytes) -> None:
        try:
            if isinstance(message, str):
                await self.receive_text(message)
            else:
                self._last_received_at = time.monotonic()
                await self.receive_audio(message)
        except StreamError as error:
            self.fail(error)

    async def _work_off_backlog(self) -> None:
        while True:
            message = await self._backlog.get()
            unread_since = time.monotonic()
            while not self._has_room:
                if not self.is_unread:
                    unread_since = time.monotonic()
                elif time.monotonic() - unread_since > UNREAD_TIMEOUT:
                    logger.warning("the client reads too slowly; closing its WebSocket")
                    raise TooSlow
                await self._wait_for_room()
            await self._handle(message)
            if not self._backlog:
                self.is_behind = False
                if self._is_leaving:
                    self._leave()

    @property
    def _has_room(self) -> bool:
        stream = self.stream
        is_full = stream.lag > MAX_LAG or stream.buffered > MAX_BUFFERED or stream.pending_flushes >= MAX_FLUSHES
        return not is_full and not self.is_unread

    async def _wait_for_room(self) -> None:
        """Returns at the next chance that there is room. Until then the stream isn't idle: it would end the words."""
        try:
            async with asyncio.timeout(KEEP_INTERVAL):
                if self.is_unread:
                    await self.drained()
                else:
                    self._progress.clear()
                    await self._progress.wait()
        except TimeoutError:
            self.stream.keep_slot()

    def _pause_reading(self) -> None:
        """What the client sends meanwhile stays with it, or in the network: its pings, too, so not for long."""
        if reading := self.scope.get("extensions", {}).get("reading"):
            reading["pause"]()

    def _resume_reading(self) -> None:
        if reading := self.scope.get("extensions", {}).get("reading"):
            reading["resume"]()
