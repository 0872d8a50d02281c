"""Events of a job as an asynchronous iterator."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import TypeVar

from speech import events

T = TypeVar("T")

Emit = Callable[[events.Event], Awaitable[None]]


async def stream_events(
    run: Callable[[Callable[[T], Awaitable[None]]], Awaitable[None]], ahead: int = 100
) -> AsyncGenerator[T]:
    """Yield what the job `run(emit)` emits, until it returns. Closing the iterator cancels the job. `ahead`: number of
    events that wait to be consumed before the job waits.

    Raises what `run` raises.
    """
    queue: asyncio.Queue[T | Exception | None] = asyncio.Queue(ahead)

    async def run_to_the_end() -> None:
        try:
            await run(queue.put)
        except Exception as error:
            await queue.put(error)
        else:
            await queue.put(None)

    task = asyncio.create_task(run_to_the_end())
    try:
        while (event := await queue.get()) is not None:
            if isinstance(event, Exception):
                raise event
            yield event
    finally:
        task.cancel()
        await asyncio.wait([task])
