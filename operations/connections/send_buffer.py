"""Back-pressure: whether the client has read what was written to its connection."""

import asyncio
import logging
from typing import Any

logger = logging.getLogger(__name__)

READ_TIMEOUT = 60.0
"""Seconds a client has to read one part of an HTTP response, or the end of a WebSocket."""


def unsent_bytes(transport: Any) -> int:
    """Bytes that Twisted has not passed to the kernel yet."""
    return int(len(transport.dataBuffer) - transport.offset + transport._tempDataLen)


class SendBuffer:
    """The state of a connection's send buffer.

    Twisted reports it to the producer of a connection only, and Daphne registers none: a coroutine that sends can't
    wait for the client. So this is registered as a producer, but produces nothing.
    https://github.com/django/daphne/issues/170
    """

    def __init__(self) -> None:
        self._has_room = asyncio.Event()
        self._has_room.set()

    @property
    def is_full(self) -> bool:
        return not self._has_room.is_set()

    async def drained(self) -> None:
        """Wait until there is room, or the connection is closed."""
        await self._has_room.wait()

    # Called by Twisted.

    def pauseProducing(self) -> None:
        self._has_room.clear()

    def resumeProducing(self) -> None:
        self._has_room.set()

    stopProducing = resumeProducing


class ResponseBuffer(SendBuffer):
    """The send buffer of an HTTP response that is sent in parts.

    Daphne's `handle_reply` returns at once, so all parts would be buffered as fast as they are read from the disk, and
    an hour of audio is a hundred megabytes. Not reported for HTTP; #170 is the same for WebSockets.
    """

    def __init__(self, request: Any) -> None:
        super().__init__()
        self._request = request
        request.registerProducer(self, True)

    async def wait_until_read(self) -> None:
        """Wait until the client has read nearly everything; close its connection after `READ_TIMEOUT`."""
        try:
            async with asyncio.timeout(READ_TIMEOUT):
                await self.drained()
        except TimeoutError:
            logger.warning("client %s reads too slowly; closing its connection", self._request.client_addr)
            self._request.channel.forceAbortClient()

    def unregister(self) -> None:
        """Call this before the last part: Twisted logs an error if a response ends with a producer."""
        if self._request.channel:
            self._request.unregisterProducer()
