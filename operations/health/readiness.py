"""Whether what the site stands on answers: the database, the channel layer, and an engine that takes streams."""

import asyncio
from collections.abc import Awaitable
from typing import get_args

from channels.layers import get_channel_layer
from django.db import connection

from inference.messages import Kind, Status
from speech.gateway.database import in_database
from speech.gateway.link import Link

TIMEOUT = 4.0  # seconds
OK = "ok"


async def checks() -> dict[str, str]:
    """Of each part “ok”, or what is wrong with it."""
    database, layer, engines = await asyncio.gather(_check(_database()), _check(_layer()), _engines())
    return {"database": database, "layer": layer, "engines": engines}


async def statuses() -> list[Status]:
    """Of all engines that are there, each with the slots of all its processes."""
    link = Link.current()
    return [status for kind in get_args(Kind) for _, status in sorted((await link.engines(kind)).items())]


async def _check(part: Awaitable[None]) -> str:
    try:
        async with asyncio.timeout(TIMEOUT):
            await part
    except TimeoutError:
        return f"gave no answer in {TIMEOUT:.0f} s"
    except Exception as error:
        return f"does not answer: {type(error).__name__}"  # what it says may name hosts and users
    return OK


async def _database() -> None:
    await in_database(_ask_database)


def _ask_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


async def _layer() -> None:
    await get_channel_layer().group_send("nobody", {"type": "check"})


async def _engines() -> str:
    known = await statuses()
    if any(status.slots for status in known):
        return OK
    notes = [f"{status.label} is starting: {status.progress or 'loading'}" for status in known]
    return "; ".join(notes) or "none is there"
