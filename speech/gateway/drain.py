"""A web process that is told to end has its streams bring what was said to its end, and store it, before it goes."""

import asyncio
from contextlib import suppress

from speech.gateway.link import Link

LEAVING = "leaving"
"""The topic on which streams hear of it."""
FINISHED_WITHIN = 5.0
"""Seconds; an end takes a fraction of one. Daphne then gives connections ten."""
GOODBYE = 0.1
"""Seconds for what streams say at last."""


async def finish_streams() -> None:
    link = Link.current()
    link.tell_listeners(LEAVING, {})
    with suppress(TimeoutError):
        async with asyncio.timeout(FINISHED_WITHIN):
            while link.has_listeners(LEAVING):  # noqa: ASYNC110  # once in a process's life
                await asyncio.sleep(0.02)
    await asyncio.sleep(GOODBYE)
