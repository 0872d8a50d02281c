"""What the engine is asked for when it opens a stream."""

import asyncio

import pytest

from accounts.models import User
from inference.engines.registry import ENGINES
from inference.engines.testing.checksum import Checksum
from inference.messages import Endpointing
from inference.worker import Worker
from speech import events
from speech.live.stream import Stream
from speech.live.stream_options import StreamOptions
from tests.support.speech.link import isolated_layer


@pytest.fixture
async def requests(monkeypatch):
    """Requests that the engine gets."""
    requests = []
    open_slot = Checksum.open
    monkeypatch.setattr(
        Checksum, "open", lambda self, slot, request: (requests.append(request), open_slot(self, slot, request))
    )
    async with isolated_layer() as layer:
        task = asyncio.create_task(Worker(layer, ENGINES["checksum"], 1).run())
        yield requests
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.mark.parametrize("awaits_turns", [False, True])
@pytest.mark.parametrize("endpointing", [None, Endpointing(pause=3.0)])
async def test_endpointing_reaches_the_engine(requests, awaits_turns, endpointing):
    ready = asyncio.Event()

    async def emit(event):
        if isinstance(event, events.Ready):
            ready.set()

    options = StreamOptions(wait=True, keep=False, endpointing=endpointing, awaits_turns=awaits_turns)
    stream = Stream(User(pk=1, email="a@example.org"), emit, options)
    task = asyncio.create_task(stream.run())
    async with asyncio.timeout(20):
        await ready.wait()
        while not requests:
            await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert [(request.endpointing, request.awaits_turns) for request in requests] == [(endpointing, awaits_turns)]
