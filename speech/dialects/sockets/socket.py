"""Base of all WebSockets: one loop that receives and dispatches, and one job with one end.

Channels' own loop makes a task for every message and visits the database thread before each. At one message per 80 ms
frame that is most of the work, so this one does neither; and it opens no channel of its own, because the process's link
has one for all.
"""

import asyncio
import logging
from abc import abstractmethod
from collections.abc import Awaitable, Callable
from typing import Any

from channels.consumer import get_handler_name
from channels.exceptions import StopConsumer
from channels.generic.websocket import AsyncWebsocketConsumer

from inference.observability.recent_errors import PERFORMANCE_ERROR
from speech.errors import CloseCode, InternalError, StreamError
from speech.metrics import CLOSES

logger = logging.getLogger(__name__)

CLOSE_TIMEOUT = 9.0
"""Seconds that a job has to end after its client has disconnected; Daphne kills it after ten."""

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class Socket(AsyncWebsocketConsumer):
    _task: asyncio.Task[None] | None = None

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        self.scope = scope
        self.base_send = send
        try:
            while True:
                await self._dispatch(await receive())
        except StopConsumer:
            pass
        except asyncio.CancelledError:
            await self.shut_down()
            raise

    # --- For subclasses ---------------------------------------------------------------------------------------------

    @abstractmethod
    async def run_job(self) -> None:
        """Run for as long as the socket is open. Raises `StreamError`, which `send_error` sends before the socket is
        closed."""

    @abstractmethod
    async def send_error(self, error: StreamError) -> None:
        """Send the error in the form of the dialect."""

    @abstractmethod
    def fail(self, error: StreamError) -> None:
        """End the job, which raises the error: for example, the token was revoked."""

    def close_code(self, error: StreamError) -> int:
        return int(error.code)

    def detach(self) -> None:
        """The client has disconnected. By default the job is cancelled."""
        if self._task:
            self._task.cancel()

    def start_serving(self) -> None:
        self._task = asyncio.create_task(self._serve())

    @property
    def is_served(self) -> bool:
        return self._task is not None and not self._task.done()

    async def drained(self) -> None:
        """Return when the client has read most of what it was sent. A dialect that sends much waits for it before each
        chunk."""
        if writing := self.scope.get("extensions", {}).get("writing"):
            await writing["drained"]()

    @property
    def is_unread(self) -> bool:
        """Whether the client has yet to read much of what it was sent."""
        writing = self.scope.get("extensions", {}).get("writing")
        return bool(writing) and writing["is_full"]()

    # --- Lifecycle --------------------------------------------------------------------------------------------------

    async def _dispatch(self, message: dict[str, Any]) -> None:
        """Handle a message. One that can't be handled ends the job, as any other error does: while the job runs, an
        exception here would leave it without a client, and the client without an answer."""
        try:
            await getattr(self, get_handler_name(message))(message)
        except StopConsumer:
            raise
        except Exception:
            if not self.is_served:
                raise  # the server rejects the handshake
            logger.exception("unexpected error in a message of %s", type(self).__name__)
            self.fail(InternalError())

    async def _serve(self) -> None:
        code, reason = int(CloseCode.DONE), ""
        try:
            await self.run_job()
        except StreamError as error:
            code, reason = await self._report(error)
        except asyncio.CancelledError:
            code, reason = int(CloseCode.RESTARTING), "The server is restarting."
            raise
        except Exception:
            logger.exception("unexpected error in %s", type(self).__name__)
            code, reason = await self._report(InternalError())
        finally:
            await self.close(code, reason)

    async def _report(self, error: StreamError) -> tuple[int, str]:
        """Send the error, and return the code and the reason to close with, even if it can't be sent."""
        try:
            await self.send_error(error)
            return self.close_code(error), error.what
        except Exception:
            logger.exception("could not send an error of %s", type(self).__name__)
            return int(CloseCode.FAILED), error.what

    async def close(self, code: int | None = None, reason: str | None = None) -> None:
        CLOSES.labels(code or 1000).inc()
        await super().close(code, reason)

    async def websocket_disconnect(self, message: dict[str, Any]) -> None:
        await self.disconnect(message["code"])
        raise StopConsumer

    async def disconnect(self, code: int) -> None:
        if self._task is None:
            return
        try:
            self.detach()
        except Exception:
            logger.exception("could not detach %s", type(self).__name__)
            self._task.cancel()
        await asyncio.wait([self._task], timeout=CLOSE_TIMEOUT)
        if not self._task.done():
            logger.warning("%s did not end within %.0f s", type(self).__name__, CLOSE_TIMEOUT, extra=PERFORMANCE_ERROR)
            await self.shut_down()

    async def shut_down(self) -> None:
        """The server stops."""
        if self._task:
            self._task.cancel()
            await asyncio.wait([self._task])
