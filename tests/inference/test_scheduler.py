import asyncio
import logging
import random
from itertools import count

import pytest

from inference import scheduler
from inference.engines import registry
from inference.engines.testing.checksum import Checksum
from inference.executors.inline import InlineExecutor
from inference.executors.subprocess import STEPS_PER_CALL, SubprocessExecutor
from inference.messages import FRAME_BYTES, Accept, Audio, Close, Closed, Endpoint, Marker, Open, Step, Word
from inference.scheduler import Scheduler
from inference.streams import stt
from tests.support.speech.checksum_audio import noise, words_of


class Listener:
    """Records the scheduler's messages by stream."""

    def __init__(self) -> None:
        self.received: dict[str, list] = {}
        self._changed = asyncio.Event()

    def __call__(self, stream, message) -> None:
        self.received.setdefault(stream.id, []).append(message)
        self._changed.set()

    async def until(self, stream_id: str, kind: type):
        async with asyncio.timeout(60):
            while not (found := self.all(stream_id, kind)):
                self._changed.clear()
                await self._changed.wait()
        return found[0]

    def all(self, stream_id: str, kind: type) -> list:
        return [message for message in self.received.get(stream_id, []) if isinstance(message, kind)]

    def words(self, stream_id: str) -> list[str]:
        return [word.text for word in self.all(stream_id, Word)]


class Running:
    """A running scheduler and its recorded messages."""

    def __init__(self, *executors, kind="stt") -> None:
        self.listener = Listener()
        self.scheduler = Scheduler(executors, self.listener, kind)
        self._seqs: dict[str, count] = {}

    async def __aenter__(self) -> "Running":
        self._task = asyncio.create_task(self.scheduler.run())
        async with asyncio.timeout(30):
            await self.scheduler.slot_is_free.wait()
        return self

    async def __aexit__(self, *_) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    def open(self, stream_id: str, position: int = 0) -> bool:
        self._seqs[stream_id] = count()
        return self.scheduler.open(Open(stream_id, "web", 0.0, position, "en")) is not None

    def send(self, stream_id: str, *messages) -> None:
        for message in messages:
            self.scheduler.receive(stream_id, next(self._seqs[stream_id]), message)

    async def all_free(self) -> None:
        async with asyncio.timeout(20):
            while self.scheduler.free != self.scheduler.slots:
                await asyncio.sleep(0.01)


def inline_executor(slots: int = 4, rounds: int = 1):
    executor = InlineExecutor("checksum", slots)
    executor.steps_per_call = rounds
    return executor


one_step_or_more = pytest.mark.parametrize("rounds", [1, STEPS_PER_CALL])


@one_step_or_more
async def test_every_stream_gets_its_own_words_in_any_schedule(rounds):
    speeches = {f"s{i}": noise(frames=3 + 7 * i, seed=i) for i in range(6)}
    async with Running(inline_executor(6, rounds)) as running:
        chunks = []
        for stream_id, pcm in speeches.items():
            assert running.open(stream_id)
            size = random.Random(stream_id).randrange(500, 9000) * 2
            chunks.append([(stream_id, Audio(pcm[i : i + size])) for i in range(0, len(pcm), size)])
        while chunks:
            chosen = random.choice(chunks)
            running.send(*chosen.pop(0))
            await asyncio.sleep(0)
            chunks = [rest for rest in chunks if rest]
        for stream_id in speeches:
            running.send(stream_id, Marker(1))
            await running.listener.until(stream_id, Marker)
        assert {s: running.listener.words(s) for s in speeches} == {s: words_of(pcm) for s, pcm in speeches.items()}


@one_step_or_more
async def test_input_after_a_marker_waits_for_all_events_before_it(rounds):
    first, second = noise(3, seed=1), noise(4, seed=2)
    async with Running(inline_executor(rounds=rounds)) as running:
        running.open("s")
        running.send("s", Audio(first))
        async with asyncio.timeout(20):
            while len(running.listener.all("s", Step)) < 3:
                await asyncio.sleep(0.01)
        running.send("s", Marker(1), Audio(second), Marker(2))
        async with asyncio.timeout(20):
            while len(running.listener.all("s", Marker)) < 2:
                await asyncio.sleep(0.01)
        assert running.listener.words("s") == words_of(first) + words_of(second)


async def test_times_count_from_the_start_of_the_session():
    async with Running(inline_executor()) as running:
        running.open("s", position=48_000)
        running.send("s", Audio(noise(5)), Marker(1))
        await running.listener.until("s", Marker)
        (word,) = running.listener.all("s", Word)
        assert (word.start, word.end) == (2.0, 2.4)


@one_step_or_more
async def test_a_step_reports_what_is_processed_and_what_is_final(rounds):
    async with Running(inline_executor(rounds=rounds)) as running:
        running.open("s")
        running.send("s", Audio(noise(7)), Marker(1))
        await running.listener.until("s", Marker)
        steps = running.listener.all("s", Step)
        assert [step.sample for step in steps] == [1920 * i for i in range(1, 8)]
        assert [step.final_until for step in steps] == [0, 0, 0, 0, 9600, 9600, 9600]


async def test_a_marker_flushes_the_rest_of_a_frame():
    pcm = noise(1) + noise(1, seed=5)[:1000]
    async with Running(inline_executor()) as running:
        running.open("s")
        running.send("s", Audio(pcm), Marker(3))
        assert await running.listener.until("s", Marker) == Marker(3)
        assert running.listener.words("s") == words_of(pcm)
        assert isinstance(running.listener.received["s"][-2], Endpoint)


async def test_a_message_delivered_twice_is_processed_once():
    pcm = noise(10)
    async with Running(inline_executor()) as running:
        running.open("s")
        for seq in (0, 1, 0, 1, 2):
            running.scheduler.receive("s", seq, Audio(pcm[seq * FRAME_BYTES : (seq + 1) * FRAME_BYTES]))
        running.scheduler.receive("s", 3, Marker(1))
        await running.listener.until("s", Marker)
        assert running.listener.words("s") == words_of(pcm[: 3 * FRAME_BYTES])


async def test_missing_audio_closes_the_stream_so_that_it_is_resent():
    async with Running(inline_executor()) as running:
        running.open("s")
        running.scheduler.receive("s", 0, Audio(noise(1)))
        running.scheduler.receive("s", 2, Audio(noise(1)))
        assert "1 to 1 were lost" in (await running.listener.until("s", Closed)).reason
        await running.all_free()


async def test_a_closed_stream_frees_its_slot_for_a_fresh_stream():
    async with Running(inline_executor(1)) as running:
        running.open("first")
        running.send("first", Audio(noise(3, seed=1)), Close())
        await running.all_free()
        assert running.open("second")
        running.send("second", Audio(noise(5, seed=2)), Marker(1))
        await running.listener.until("second", Marker)
        assert running.listener.words("second") == words_of(noise(5, seed=2))


async def test_no_more_streams_than_slots():
    async with Running(inline_executor(2)) as running:
        assert running.open("a")
        assert running.open("b")
        assert not running.open("c")
        assert not running.scheduler.slot_is_free.is_set()


async def test_streams_are_spread_over_the_processes_of_an_engine():
    executors = [inline_executor(2), inline_executor(2), inline_executor(2)]
    async with Running(*executors) as running:
        while running.scheduler.slots < 6:
            await asyncio.sleep(0.01)
        for number in range(3):
            assert running.open(str(number))
        streams = [replica.streams for replica in running.scheduler._replicas]
        assert streams == [1, 1, 1]


async def test_a_flooding_stream_loses_its_slot_and_affects_no_other(monkeypatch):
    monkeypatch.setattr(stt, "BACKLOG_BYTES", 10 * FRAME_BYTES)
    async with Running(inline_executor()) as running:
        running.open("flood")
        running.open("calm")
        running.send("calm", Audio(noise(5, seed=3)), Marker(1))
        running.send("flood", Audio(noise(20)))
        assert "faster" in (await running.listener.until("flood", Closed)).reason
        await running.listener.until("calm", Marker)
        assert running.listener.words("calm") == words_of(noise(5, seed=3))


async def test_a_silent_stream_loses_its_slot(monkeypatch):
    monkeypatch.setattr(scheduler, "IDLE_TIMEOUT", 0.2)
    monkeypatch.setattr(scheduler, "REAP_INTERVAL", 0.05)
    async with Running(inline_executor()) as running:
        running.open("s")
        running.send("s", Audio(noise(1)))
        assert "no data received" in (await running.listener.until("s", Closed)).reason
        await running.all_free()


async def test_a_stream_that_is_never_accepted_loses_its_slot_soon(monkeypatch):
    monkeypatch.setattr(scheduler, "ACCEPT_TIMEOUT", 0.2)
    monkeypatch.setattr(scheduler, "REAP_INTERVAL", 0.05)
    async with Running(inline_executor(2)) as running:
        running.open("accepted")
        running.send("accepted", Accept())
        running.open("gone")
        assert "web process is gone" in (await running.listener.until("gone", Closed)).reason
        running.send("accepted", Audio(noise(5)), Marker(1))
        await running.listener.until("accepted", Marker)
        assert running.listener.words("accepted") == words_of(noise(5))


class BrokenEngine(Checksum):
    def step(self, inputs):
        raise ValueError("cannot compute")


async def test_an_engine_that_fails_loses_its_streams_and_restarts(monkeypatch):
    monkeypatch.setattr(registry, "load", lambda name, slots: BrokenEngine(slots))
    async with Running(inline_executor(1)) as running:
        running.open("s")
        running.send("s", Audio(noise(1)))
        await running.listener.until("s", Closed)
        async with asyncio.timeout(5):
            await running.scheduler.slot_is_free.wait()


async def test_an_engine_process_that_dies_loses_its_stream_and_restarts(caplog):
    caplog.set_level(logging.INFO, "inference")
    executor = SubprocessExecutor("checksum")
    async with Running(executor) as running:
        running.open("s")
        running.send("s", Audio(noise(2)))
        await running.listener.until("s", Step)
        executor._process.kill()
        running.send("s", Audio(noise(2)))
        assert "lost" in (await running.listener.until("s", Closed)).reason
        async with asyncio.timeout(20):
            await running.scheduler.slot_is_free.wait()
        assert "restarted after" in caplog.text
        running.open("again")
        running.send("again", Audio(noise(5)), Marker(1))
        await running.listener.until("again", Marker)
        assert running.listener.words("again") == words_of(noise(5))


class OutOfMemory(Checksum):
    """Closes the streams of a step whose first frame is silent."""

    def step(self, inputs):
        if any(not frame.any() for frame in inputs.values()):
            return {slot: [Closed("the engine is out of memory")] for slot in inputs}
        return super().step(inputs)


async def test_an_engine_that_closed_all_its_slots_restarts_with_new_ones(monkeypatch):
    monkeypatch.setattr(registry, "load", lambda name, slots, report_progress=None: OutOfMemory(slots))
    silence = Audio(bytes(FRAME_BYTES))
    async with Running(inline_executor(slots=2)) as running:
        for stream in ("first", "second"):
            assert running.open(stream)
            running.send(stream, silence)
            assert "out of memory" in (await running.listener.until(stream, Closed)).reason
        async with asyncio.timeout(20):
            while running.scheduler.free < 2:
                await asyncio.sleep(0.01)
        running.open("again")
        running.send("again", Audio(noise(5)), Marker(1))
        await running.listener.until("again", Marker)
        assert running.listener.words("again") == words_of(noise(5))


async def test_a_lagging_stream_makes_several_steps_per_call_if_its_process_has_no_other():
    calls = []

    class CountingExecutor(SubprocessExecutor):
        async def step(self, rounds):
            calls.append(len(rounds))
            return await super().step(rounds)

    for slots, expected in (1, [5, 5, 2]), (2, 12 * [1]):
        calls.clear()
        async with Running(CountingExecutor("checksum", slots)) as running:
            running.open("s")
            running.send("s", Audio(noise(12)), Marker(1))
            await running.listener.until("s", Marker)
            assert running.listener.words("s") == words_of(noise(12))
        assert calls == expected


async def test_engine_processes_end_with_the_scheduler():
    executor = SubprocessExecutor("checksum")
    async with Running(executor):
        process = executor._process
        assert process.returncode is None
    assert process.returncode is not None


@pytest.mark.parametrize("messages", [[Close()], [Audio(b"")], [Marker(1)]])
async def test_messages_of_a_stream_without_a_slot_are_ignored(messages):
    async with Running(inline_executor()) as running:
        for message in messages:
            running.scheduler.receive("unknown", 0, message)
        await running.all_free()
        assert running.listener.received == {}
