import asyncio
import time
from collections import deque
from itertools import count

import msgspec
import pytest
from channels.layers import InMemoryChannelLayer

from inference.engines.registry import ENGINES
from inference.messages import (
    WEB_GROUP,
    Accept,
    Audio,
    Close,
    Closed,
    Marker,
    Open,
    Ready,
    Reassign,
    SlotLimits,
    Status,
    Word,
    queue_name,
)
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
        self._received = deque()

    async def join(self) -> None:
        self.address = await self.layer.new_channel()
        await self.layer.group_add(WEB_GROUP, self.address)

    async def request(self, stream: str, deadline: float = 5.0, account: str = "") -> None:
        request = Open(stream, self.address, time.time() + deadline, 0, "en", account=account)
        await self.layer.send(queue_name(ENGINE.name), {"type": "open", "data": msgspec.msgpack.encode(request)})

    def send(self, worker: str, stream: str, *messages) -> None:
        for message in messages:
            self.outbox.put(worker, (stream, next(self._seq), message))

    async def receive(self, *kinds: type):
        """The next (stream, message) of one of these kinds; those before it are dropped."""
        async with asyncio.timeout(5):
            while True:
                while self._received:
                    stream, _, item = self._received.popleft()
                    if isinstance(item, kinds):
                        return stream, item
                message = await self.layer.receive(self.address)
                if message["type"] == "status":
                    self._received.append(("", 0, msgspec.msgpack.decode(message["data"], type=Status)))
                else:
                    self._received += decode_down(message["data"])


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


async def test_an_engine_that_chose_its_slots_reports_what_limits_them(web, layer):
    worker = Worker(layer, ENGINE, slots=3)
    (executor,) = (replica.executor for replica in worker._scheduler._replicas)
    executor.slot_limits = SlotLimits(memory=180, time=3)
    task = asyncio.create_task(worker.run())
    assert await worker.wait_until_up() == f"{ENGINE.label}, 3 slots (memory would allow 180, step time allows 3)"
    while not (status := (await web.receive(Status))[1]).slots:
        pass
    assert status.slot_limits == SlotLimits(180, 3)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_full_worker_leaves_requests_in_the_queue(web, worker, layer):
    await web.request("first")
    _, ready = await web.receive(Ready)
    await web.request("second")
    await asyncio.sleep(0.1)
    assert queue_name(ENGINE.name) in layer.channels  # the request was not received
    web.send(ready.worker, "first", Close())
    stream, _ = await web.receive(Ready)
    assert stream == "second"


async def test_messages_of_another_version_are_skipped(web, worker, layer):
    await layer.send(queue_name(ENGINE.name), {"type": "open", "data": b"not a request"})
    await web.request("s")
    _, ready = await web.receive(Ready)
    await layer.send(ready.worker, {"type": "bundle", "data": b"not messages"})
    web.send(ready.worker, "s", Audio(noise(5)), Marker(1))
    _, word = await web.receive(Word)
    assert [word.text] == words_of(noise(5))


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


@pytest.fixture
async def full_of_one_account(layer, web):
    """A worker whose two slots one account holds; returns its channel."""
    task = asyncio.create_task(Worker(layer, ENGINE, slots=2).run())
    for stream in ("first", "second"):
        await web.request(stream, account="a")
        _, ready = await web.receive(Ready)
    yield ready.worker
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_slot_of_the_account_that_holds_most_goes_to_the_one_that_waits(web, full_of_one_account):
    await web.request("third", account="a")  # before the other account in the queue
    await web.request("other", account="b")
    web.outbox.put(full_of_one_account, ("", 0, Reassign("b", "a", lead=0)))
    stream, closed = await web.receive(Closed)
    assert stream == "second"
    assert closed.is_reassigned
    assert (await web.receive(Ready))[0] == "other"
    web.outbox.put(full_of_one_account, ("first", 0, Accept()))
    web.outbox.put(full_of_one_account, ("first", 1, Close()))
    assert (await web.receive(Ready))[0] == "third"


async def test_an_account_with_a_fair_share_gives_up_no_slot(web, full_of_one_account):
    web.outbox.put(full_of_one_account, ("", 0, Reassign("b", "a", lead=-1)))  # it waits with a slot elsewhere
    web.outbox.put(full_of_one_account, ("first", 0, Close()))
    await web.request("third", account="a")
    stream, message = await web.receive(Ready, Closed)
    assert (stream, type(message)) == ("third", Ready)


async def test_a_slot_that_was_given_up_goes_back_if_the_other_account_is_gone(web, full_of_one_account):
    await web.request("third", account="a")
    web.outbox.put(full_of_one_account, ("", 0, Reassign("b", "a", lead=0)))
    assert (await web.receive(Closed))[0] == "second"
    assert (await web.receive(Ready))[0] == "third"


async def test_the_heartbeat_reports_the_slots_of_each_account(web, full_of_one_account):
    while (status := (await web.receive(Status))[1]).free:
        pass
    assert status.accounts == {"a": 2}
