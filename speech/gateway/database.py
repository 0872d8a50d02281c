"""Database access from the event loop, without blocking it."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar

from asgiref.sync import sync_to_async
from channels.db import database_sync_to_async
from django.db import connection

P = ParamSpec("P")
R = TypeVar("R")


async def in_own_thread(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Like `in_database`, for a function that may also wait for the network: with a connection of its own, so that
    nothing waits for it."""
    return await database_sync_to_async(function, thread_sensitive=False)(*args, **kwargs)


async def in_database(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Call a function that uses the ORM in a thread.

    SQLite: always in the same thread, whose connection stays open. There is one writer anyway, others would wait by
    sleeping, and opening a connection takes longer than storing a second of words. Other databases: in any of a pool of
    threads, with a connection of Django's pool.
    """
    if connection.vendor == "sqlite":
        return await sync_to_async(function, thread_sensitive=True)(*args, **kwargs)
    return await database_sync_to_async(function, thread_sensitive=False)(*args, **kwargs)
