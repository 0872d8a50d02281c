"""What a job tells, to be taken one by one."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import TypeVar

from speech import events

T = TypeVar("T")

Emit = Callable[[events.Event], Awaitable[None]]


async def stream_events(
    run: Callable[[Callable[[T], Awaitable[None]]], Awaitable[None]], ahead: int = 100
) -> AsyncGenerator[T]:
    """What the job `run` tells, until it returns. It ends with whoever takes it: close this if that is before its end.
    `ahead`: of so many that wait to be taken; the job waits with the next.

    Raises what `run` raises.
    """
    told: asyncio.Queue[T | Exception | None] = asyncio.Queue(ahead)

    async def run_to_the_end() -> None:
        try:
            await run(told.put)
        except Exception as error:
            await told.put(error)
        else:
            await told.put(None)

    task = asyncio.create_task(run_to_the_end())
    try:
        while (event := await told.get()) is not None:
            if isinstance(event, Exception):
                raise event
            yield event
    finally:
        task.cancel()
        await asyncio.wait([task])
