"""Checks of the site's dependencies: the database, the channel layer, an engine with slots, and the disk."""

import asyncio
from collections.abc import Awaitable

from channels.layers import get_channel_layer
from django.conf import settings
from django.db import connection

from inference.messages import Status
from speech import disk_space
from speech.gateway.database import in_database
from speech.gateway.link import Link

TIMEOUT = 4.0  # seconds
OK = "ok"
MIN_DATABASE_SPACE = 50_000_000
"""Bytes of free disk below which SQLite may soon be unable to store words."""


async def checks() -> dict[str, str]:
    """Result of each check: “ok”, or what is wrong."""
    database, layer, engines = await asyncio.gather(_check(_database()), _check(_layer()), _engines())
    return {"database": database, "layer": layer, "engines": engines, "disk": _disk()}


def warnings() -> dict[str, str]:
    """What is wrong without making the site unready: it transcribes, and stores words."""
    folders = (settings.DATA_DIR, settings.AUDIO_DIR)
    if all(disk_space.available(folder) > 0 for folder in folders):
        return {}
    return {"disk": "nearly full: uploads and new recordings are refused; free some space"}


async def statuses() -> list[Status]:
    """Statuses of all running engines, each with the slots of all its processes."""
    return await Link.current().workers.all_engines()


async def _check(dependency: Awaitable[None]) -> str:
    try:
        async with asyncio.timeout(TIMEOUT):
            await dependency
    except TimeoutError:
        return f"no response in {TIMEOUT:.0f} s"
    except Exception as error:
        return f"not responding: {type(error).__name__}"  # its message may name hosts and users
    return OK


async def _database() -> None:
    await in_database(_query_database)


def _query_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


async def _layer() -> None:
    await get_channel_layer().group_send("health-check", {"type": "check"})


def _disk() -> str:
    is_needed = connection.vendor == "sqlite" and disk_space.free(settings.DATA_DIR) < MIN_DATABASE_SPACE
    return "full: words can't be stored" if is_needed else OK


async def _engines() -> str:
    running = await statuses()
    if any(status.slots for status in running):
        return OK
    notes = [f"{status.label} is starting: {status.progress or 'loading'}" for status in running]
    return "; ".join(notes) or "no engine running"
