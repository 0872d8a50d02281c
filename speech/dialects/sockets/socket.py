"""A WebSocket of ours: one loop receives and dispatches, and does nothing else.

Channels' own loop makes a task for every message and visits the database thread before each. At 80 ms a frame that is
most of the work, so this one does neither; and it opens no channel of its own, the process's link has one for all.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from channels.consumer import get_handler_name
from channels.exceptions import StopConsumer
from channels.generic.websocket import AsyncWebsocketConsumer

from speech.metrics import CLOSES

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class Socket(AsyncWebsocketConsumer):
    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        self.scope = scope
        self.base_send = send
        try:
            while True:
                message = await receive()
                await getattr(self, get_handler_name(message))(message)
        except StopConsumer:
            pass
        except asyncio.CancelledError:
            await self.shut_down()
            raise

    async def drained(self) -> None:
        """Returns once the client has read most of what it was sent. Who sends much waits for it, before each piece."""
        if writing := self.scope.get("extensions", {}).get("writing"):
            await writing["drained"]()

    async def close(self, code: int | None = None, reason: str | None = None) -> None:
        CLOSES.labels(code or 1000).inc()
        await super().close(code, reason)

    async def shut_down(self) -> None:
        """The server ends."""

    async def websocket_disconnect(self, message: dict[str, Any]) -> None:
        await self.disconnect(message["code"])
        raise StopConsumer
