"""Capacity that is measured again while an engine has no streams."""

import asyncio
import logging

import pytest
from prometheus_client import REGISTRY

from inference import scheduler, slots
from inference.executors.inline import InlineExecutor
from inference.messages import Accept, Audio, Close, SlotLimits, Step
from inference.slots import IDLE_BEFORE, INTERVAL, KEPT, RUNS, Capacity
from tests.inference.test_scheduler import Running
from tests.support.speech.checksum_audio import noise


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def measured(clock: Clock, *slots: int) -> Capacity:
    capacity = Capacity(clock)
    for number in slots:
        capacity.add(number)
    return capacity


def test_a_number_measured_at_a_busy_moment_grows_with_the_first_better_one():
    assert measured(Clock(), 3, 15).slots == 15


def test_a_number_shrinks_when_all_later_ones_are_smaller():
    assert measured(Clock(), 15, *[4] * (KEPT - 1)).slots == 15
    assert measured(Clock(), 15, *[4] * KEPT).slots == 4


def test_it_is_measured_again_half_a_minute_after_the_start_and_then_rarely():
    clock = Clock()
    capacity = measured(clock, 3)
    assert not capacity.is_due(is_idle=True)
    clock.now = IDLE_BEFORE
    assert capacity.is_due(is_idle=True)
    capacity.add(15, seconds=0.5)
    assert not capacity.is_due(is_idle=True)
    clock.now += INTERVAL
    assert capacity.is_due(is_idle=True)


def test_it_is_not_measured_until_streams_have_been_gone_for_a_while():
    clock = Clock()
    capacity = measured(clock, 3)
    clock.now = INTERVAL
    assert not capacity.is_due(is_idle=False)
    clock.now += IDLE_BEFORE - 1
    assert not capacity.is_due(is_idle=True)
    clock.now += 1
    assert capacity.is_due(is_idle=True)


def test_a_slow_measurement_is_made_less_often():
    clock = Clock()
    capacity = measured(clock, 3)
    capacity.add(3, seconds=10.0)
    clock.now = INTERVAL
    assert not capacity.is_due(is_idle=True)
    clock.now = 1000.0
    assert capacity.is_due(is_idle=True)


class MeasuringExecutor(InlineExecutor):
    """Measures the numbers that it is given, one per measurement, and the last one ever after."""

    def __init__(self, *numbers: int) -> None:
        super().__init__("checksum", numbers[0])
        self._numbers = list(numbers[1:])
        self.measured = 0  # recognitions
        self.can_measure = asyncio.Event()
        self.can_measure.set()

    async def start(self) -> None:
        await super().start()
        self.measures_capacity = True

    async def measure_capacity(self) -> int:
        self.measured += 1
        await self.can_measure.wait()
        is_last = len(self._numbers) == 1 or self.measured % RUNS
        return self._numbers[0] if is_last else self._numbers.pop(0)


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(slots, "IDLE_BEFORE", 0.0)
    monkeypatch.setattr(slots, "INTERVAL", 0.0)
    monkeypatch.setattr(slots, "TIME_SHARE", 1000.0)
    monkeypatch.setattr(scheduler, "REAP_INTERVAL", 0.01)


measured_often = pytest.mark.usefixtures("impatient")


async def until(condition) -> None:
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0.005)


@measured_often
async def test_an_idle_engine_gets_the_slots_that_it_can_carry_and_logs_the_change(caplog):
    caplog.set_level(logging.INFO)
    async with Running(MeasuringExecutor(3, 15, 4)) as running:
        assert running.scheduler.slots == 3
        await until(lambda: running.scheduler.slots == 15)
        assert running.scheduler.free == 15
        assert running.scheduler.measured_at > 0
        await until(lambda: running.scheduler.slots == 4)
    assert "has 15 slots now" in caplog.text
    assert "has 4 slots now" in caplog.text


@measured_often
async def test_an_engine_with_a_stream_is_not_measured_and_a_new_slot_works():
    executor = MeasuringExecutor(1, 2)
    async with Running(executor) as running:
        await until(lambda: running.scheduler.slots == 2)
        assert running.open("a")
        assert running.open("b")
        await asyncio.sleep(0)
        before = executor.measured
        for stream in "ab":
            running.send(stream, Accept(), Audio(noise(5)))
            await running.listener.until(stream, Step)
        await asyncio.sleep(0.05)  # several times the interval
        assert executor.measured <= before + 1  # one was under way
        running.send("a", Close())
        running.send("b", Close())
        await until(lambda: executor.measured > before + 1)


@measured_often
async def test_a_stream_that_begins_during_a_measurement_waits_for_one_recognition_only():
    executor = MeasuringExecutor(2, 1)
    executor.can_measure.clear()
    async with Running(executor) as running:
        await until(lambda: executor.measured == 1)
        assert running.open("a")
        running.send("a", Accept(), Audio(noise(5)))
        executor.can_measure.set()
        await running.listener.until("a", Step)
        assert executor.measured == 1
        assert running.scheduler.slots == 2


@measured_often
async def test_an_engine_that_restarts_at_a_busy_moment_keeps_its_slots():
    executor = MeasuringExecutor(15, 3)
    replica = slots.Replica(executor)
    await replica.start()
    executor.slots = 3
    await replica.start()
    assert len(replica.slots) == 15


async def test_what_limits_the_slots_of_an_engine_is_reported():
    executor = InlineExecutor("checksum", 4)
    executor.slot_limits = SlotLimits(memory=180, time=4)
    async with Running(executor) as running:
        assert running.scheduler.slot_limits == SlotLimits(180, 4)
        engine = running.scheduler._engine
        for limit, slots in (("memory", 180), ("time", 4)):
            assert REGISTRY.get_sample_value("speech_slot_limit", {"engine": engine, "limit": limit}) == slots
    assert str(SlotLimits(180, 4) + SlotLimits(20, 10)) == "memory would allow 200, step time allows 14"
