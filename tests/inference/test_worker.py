import asyncio
import time
from itertools import count

import msgspec
import pytest
from channels.layers import InMemoryChannelLayer

from inference.engines.registry import ENGINES
from inference.messages import WEB_GROUP, Audio, Close, Closed, Marker, Open, Ready, Status, Word, queue_name
from inference.outbox import Outbox, decode_down
from inference.worker import Worker, run_workers
from tests.support.speech.checksum_audio import noise, words_of

ENGINE = ENGINES["checksum"]


class Web:
    """A web process, reduced to what the worker sees of it."""

    def __init__(self, layer) -> None:
        self.layer = layer
        self.outbox = Outbox(layer)
        self._seq = count()

    async def join(self) -> None:
        self.address = await self.layer.new_channel()
        await self.layer.group_add(WEB_GROUP, self.address)

    async def request(self, stream: str, deadline: float = 5.0) -> None:
        request = Open(stream, self.address, time.time() + deadline, 0, "en")
        await self.layer.send(queue_name(ENGINE.name), {"type": "open", "data": msgspec.msgpack.encode(request)})

    def send(self, worker: str, stream: str, *messages) -> None:
        for message in messages:
            self.outbox.put(worker, (stream, next(self._seq), message))

    async def receive(self, *kinds: type):
        """The next (stream, message) of one of these kinds."""
        async with asyncio.timeout(5):
            while True:
                message = await self.layer.receive(self.address)
                if message["type"] == "status":
                    items = [("", 0, msgspec.msgpack.decode(message["data"], type=Status))]
                else:
                    items = decode_down(message["data"])
                for stream, _, item in items:
                    if isinstance(item, kinds):
                        return stream, item


@pytest.fixture
async def layer():
    return InMemoryChannelLayer(capacity=100)


@pytest.fixture
async def web(layer):
    web = Web(layer)
    await web.join()
    task = asyncio.create_task(web.outbox.run())
    yield web
    task.cancel()


@pytest.fixture
async def worker(layer, web):
    task = asyncio.create_task(Worker(layer, ENGINE, slots=1).run())
    yield task
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_request_is_served(web, worker):
    await web.request("s")
    stream, ready = await web.receive(Ready)
    assert stream == "s"
    web.send(ready.worker, "s", Audio(noise(5)), Marker(1))
    _, word = await web.receive(Word)
    assert [word.text] == words_of(noise(5))


async def test_a_full_worker_leaves_requests_in_the_queue(web, worker, layer):
    await web.request("first")
    _, ready = await web.receive(Ready)
    await web.request("second")
    await asyncio.sleep(0.1)
    assert queue_name(ENGINE.name) in layer.channels  # the request was not received
    web.send(ready.worker, "first", Close())
    stream, _ = await web.receive(Ready)
    assert stream == "second"


async def test_an_expired_request_is_skipped(web, worker):
    await web.request("first")
    _, ready = await web.receive(Ready)
    await web.request("expired", deadline=-1)
    await web.request("waits")
    web.send(ready.worker, "first", Close())
    stream, _ = await web.receive(Ready)
    assert stream == "waits"


async def test_the_heartbeat_reports_slots(web, worker):
    await web.request("s")
    await web.receive(Ready)
    _, status = await web.receive(Status)
    assert (status.engine, status.slots, status.free) == ("checksum", 1, 0)


async def test_a_shutdown_notifies_streams_and_web_processes(web, worker):
    await web.request("s")
    await web.receive(Ready)
    worker.cancel()
    stream, closed = await web.receive(Closed)
    assert stream == "s"
    assert "shutting down" in closed.reason
    while not (await web.receive(Status))[1].stopping:
        pass


async def test_tts_engines_start_first_in_a_process_with_several(layer, monkeypatch):
    started = []

    async def run(worker):
        started.append(worker.kind)

    monkeypatch.setattr(Worker, "run", run)
    await run_workers([Worker(layer, ENGINES[name], slots=1) for name in ("checksum", "tones")])
    assert started == ["tts", "stt"]
