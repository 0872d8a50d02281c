"""Drain of a web process that stops: its streams finish and store what was said before it exits."""

import asyncio
from contextlib import suppress

from speech.gateway.link import Link

DRAIN_TOPIC = "drain"
DRAIN_TIMEOUT = 5.0
"""Seconds; a stream needs a fraction of one. Daphne then gives connections ten."""
FINAL_MESSAGES_TIME = 0.1
"""Seconds for the last messages of streams."""


async def drain_streams() -> None:
    link = Link.current()
    link.notify_listeners(DRAIN_TOPIC, {})
    with suppress(TimeoutError):
        async with asyncio.timeout(DRAIN_TIMEOUT):
            while link.has_listeners(DRAIN_TOPIC):  # noqa: ASYNC110  # once in a process's life
                await asyncio.sleep(0.02)
    await asyncio.sleep(FINAL_MESSAGES_TIME)
