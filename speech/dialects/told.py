"""What a job tells, to be taken one by one."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from accounts.caller import Caller
from speech import events
from speech.errors import NotApproved, NotAuthenticated, StreamError
from speech.link import Link
from speech.notices import about_token, about_user

T = TypeVar("T")

Tell = Callable[[events.Event], Awaitable[None]]


async def told_by(
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


@contextmanager
def while_allowed(caller: Caller, fail: Callable[[StreamError], None]) -> Iterator[None]:
    """`fail` is called when the caller's account is rejected, or the token revoked."""
    link = Link.current()

    def hear_of_user(notice: dict[str, Any]) -> None:
        fail(NotApproved("Your account was rejected.", notice["reason"]))

    def hear_of_token(notice: dict[str, Any]) -> None:
        fail(NotAuthenticated("The token was revoked.", "Whoever has it may no longer use it."))

    with (
        link.listening(about_user(caller.user.pk), hear_of_user),
        link.listening(about_token(caller.token), hear_of_token),
    ):
        yield
