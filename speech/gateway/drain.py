"""A web process that is told to end has its streams bring what was said to its end, and store it, before it goes."""

import asyncio
from contextlib import suppress

from speech.gateway.link import Link

DRAIN_TOPIC = "leaving"
"""The topic on which streams hear of it."""
DRAIN_TIMEOUT = 5.0
"""Seconds; an end takes a fraction of one. Daphne then gives connections ten."""
FINAL_MESSAGES_TIME = 0.1
"""Seconds for what streams say at last."""


async def drain_streams() -> None:
    link = Link.current()
    link.notify_listeners(DRAIN_TOPIC, {})
    with suppress(TimeoutError):
        async with asyncio.timeout(DRAIN_TIMEOUT):
            while link.has_listeners(DRAIN_TOPIC):  # noqa: ASYNC110  # once in a process's life
                await asyncio.sleep(0.02)
    await asyncio.sleep(FINAL_MESSAGES_TIME)
