"""An upload whose job raises an error that nothing foresees is tried again, but its owner does not wait for ever."""

import asyncio
import uuid
from types import SimpleNamespace

from speech.errors import InternalError
from speech.uploads.runner import MAX_ATTEMPTS, Runner


async def test_an_upload_that_fails_again_and_again_is_given_up():
    failures = []

    async def run():
        raise ValueError("a bug")

    async def fail(error):
        failures.append(error)

    runner, pk = Runner(), uuid.uuid4()
    for attempt in range(MAX_ATTEMPTS):
        assert not failures, attempt
        task = asyncio.create_task(run())
        await asyncio.wait([task])
        runner._jobs[pk] = SimpleNamespace(fail=fail), task
        await runner._drop_ended()
    assert [type(error) for error in failures] == [InternalError]
    assert not runner._jobs


async def test_an_error_of_the_runner_ends_neither_it_nor_the_process(monkeypatch):
    async def poll():
        raise ValueError("a bug")

    runner = Runner()
    monkeypatch.setattr(runner, "_poll", poll)
    await runner._poll_safely()
