"""Fair share: an account that holds more slots than another one that waits gives one up."""

import asyncio

import pytest
from channels.layers import get_channel_layer

from accounts.models import User
from dsm_site import backends
from inference.engines.registry import ENGINES
from inference.messages import Reassign, Status
from inference.worker import Worker, run_workers
from speech import events
from speech.gateway.slot_request import requested_by
from speech.gateway.workers import WorkerRegistry
from speech.live import inbox
from speech.live.stream import Stream
from speech.live.stream_limit import program_stream
from speech.live.stream_options import StreamOptions
from speech.live.stream_state import Intent
from tests.support.speech.checksum_audio import noise, words_of
from tests.support.speech.link import isolated_layer

FRAMES = 40
A, B = User(pk=1, email="a@example.org"), User(pk=2, email="b@example.org")


class Client:
    """A client with a stream of its own, which goes on until it is stopped."""

    def __init__(self, owner: User, seed: int, is_program: bool = True, wait: bool = True) -> None:
        self.pcm = noise(FRAMES, seed)
        self.words: dict[int, str] = {}
        self.interruptions: list[str] = []
        self.is_ready = asyncio.Event()
        self._is_program = is_program
        self._stream = Stream(owner, self._on_event, StreamOptions(wait=wait, keep=False))
        self._task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        if self._is_program:
            with program_stream(self._stream.owner):
                return await self._stream.run()
        return await self._stream.run()

    async def ready(self) -> "Client":
        async with asyncio.timeout(60):
            await self.is_ready.wait()
        return self

    def feed(self, frames: slice) -> None:
        self._stream.feed(self.pcm[frames.start * 3840 : frames.stop * 3840])

    async def stop(self) -> list[str]:
        """Return the words that the client has seen."""
        self._stream.set_intent(Intent.STOP)
        async with asyncio.timeout(60):
            await self._task
        return [self.words[index] for index in sorted(self.words)]

    async def _on_event(self, event: events.Event) -> None:
        match event:
            case events.Ready():
                self.is_ready.set()
            case events.Word(index=index, text=text):
                self.words[index] = text
            case events.Interrupted(words=kept, message=message):
                self.words = {index: text for index, text in self.words.items() if index < kept}
                self.interruptions.append(message)


@pytest.fixture(autouse=True)
def _frequent_ticks(monkeypatch):
    monkeypatch.setattr(inbox, "TICK", 0.02)  # seconds; a stream asks for its slot, and stores its end, on a tick


@pytest.fixture
async def two_slots():
    async with isolated_layer():
        task = asyncio.create_task(run_workers([Worker(get_channel_layer(), ENGINES["checksum"], 2)]))
        yield
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def interrupted(*clients: Client) -> Client:
    async with asyncio.timeout(60):
        while not (found := [client for client in clients if client.interruptions]):
            await asyncio.sleep(0.01)
    return found[0]


async def test_an_account_that_holds_all_slots_gives_one_up_and_loses_no_word(two_slots):
    programs = [await Client(A, seed).ready() for seed in (1, 2)]
    for program in programs:
        program.feed(slice(0, 20))
    waiting = [Client(A, seed) for seed in (3, 4)]  # in the queue before the other account
    other = await Client(B, 5).ready()
    preempted = await interrupted(*programs)
    assert preempted is programs[1]  # the newest
    assert "another account waits" in preempted.interruptions[0]
    assert not any(client.is_ready.is_set() for client in waiting)
    other.feed(slice(0, FRAMES))
    assert await other.stop() == words_of(other.pcm)
    for program in programs:
        program.feed(slice(20, FRAMES))
    for client in waiting:
        client.feed(slice(0, FRAMES))
    clients = [*programs, *waiting]
    assert await asyncio.gather(*(client.stop() for client in clients)) == [words_of(each.pcm) for each in clients]
    assert len(preempted.interruptions) == 1


async def test_a_client_that_does_not_queue_is_served_too(two_slots):
    programs = [await Client(A, seed).ready() for seed in (1, 2)]
    other = await Client(B, 3, wait=False).ready()
    assert await interrupted(*programs) is programs[1]
    for client in (other, *programs):
        client.feed(slice(0, FRAMES))
    assert await other.stop() == words_of(other.pcm)
    for program in programs:
        assert await program.stop() == words_of(program.pcm)


async def test_a_program_gives_up_its_slot_before_a_person_does(two_slots):
    program = await Client(A, 1).ready()
    person = await Client(A, 2, is_program=False).ready()
    other = await Client(B, 3).ready()
    assert await interrupted(program, person) is program
    for client in (other, person, program):
        client.feed(slice(0, FRAMES))
        assert await client.stop() == words_of(client.pcm)


async def test_one_account_alone_uses_all_slots(two_slots):
    clients = [await Client(A, seed).ready() for seed in (1, 2)]
    third = Client(A, 3)
    for client in clients:
        client.feed(slice(0, FRAMES))
        assert await client.stop() == words_of(client.pcm)
        assert not client.interruptions
    (await third.ready()).feed(slice(0, FRAMES))
    assert await third.stop() == words_of(third.pcm)


async def test_slots_are_shared_among_several_inference_processes_over_redis(redis_server, settings):
    settings.CHANNEL_LAYERS = {"default": backends.channel_layer(redis_server.url, "fair-share")}
    async with isolated_layer() as layer:
        workers = [asyncio.create_task(Worker(layer, ENGINES["checksum"], 1).run()) for _ in range(2)]
        programs = [await Client(A, seed).ready() for seed in (1, 2)]
        waiting = Client(A, 3)
        other = await Client(B, 4).ready()
        clients = [*programs, waiting, other]
        for client in clients:
            client.feed(slice(0, FRAMES))
        assert await asyncio.gather(*(each.stop() for each in clients)) == [words_of(each.pcm) for each in clients]
        assert sum(len(program.interruptions) for program in programs) == 1
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)


# --- Who gives up a slot, and where -----------------------------------------------------------------------------------


def registry(*workers: dict[str, int], free: int = 0) -> WorkerRegistry:
    registry = WorkerRegistry()
    for number, accounts in enumerate(workers):
        slots = sum(accounts.values()) + free
        registry.update(Status(f"worker {number}", "e", "E", {"en": "English"}, slots, free, accounts=accounts))
    return registry


async def test_the_account_with_the_most_slots_gives_one_up_where_it_holds_them():
    workers = registry({"a": 2, "b": 1}, {"a": 1, "c": 2})
    assert workers.reassignment("e", "d") == ("worker 0", Reassign("d", "a", lead=1))


@pytest.mark.parametrize(
    ("held", "free"),
    [
        ({"a": 1, "b": 1}, 0),  # equal shares
        ({"a": 2, "b": 1}, 0),  # with one more, both would take turns
        ({"a": 2}, 1),  # a slot is free
        ({"b": 2}, 0),  # its own
        ({}, 0),
    ],
)
async def test_a_fair_share_is_kept(held, free):
    assert registry(held, free=free).reassignment("e", "b") is None


async def test_a_recording_takes_no_share_of_live_streams(two_slots):
    programs = [await Client(A, seed).ready() for seed in (1, 2)]
    with requested_by(claims_share=False):
        recording = Client(B, 3)
    await asyncio.sleep(0)
    for program in programs:
        program.feed(slice(0, FRAMES))
        assert await program.stop() == words_of(program.pcm)
        assert not program.interruptions
    (await recording.ready()).feed(slice(0, FRAMES))
    assert await recording.stop() == words_of(recording.pcm)
