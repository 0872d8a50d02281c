"""The number of slots by the duration of a step."""

import pytest

from inference.loading import step_time
from inference.loading.step_time import MAX_CONFIRMATIONS, MEASURED_STEPS, find_slots, median_seconds, slots_by_time


@pytest.mark.parametrize(
    ("measurements", "slots"),
    [
        ({1: 0.01, 90: 0.03, 180: 0.05}, 180),  # all are fast enough
        ({1: 0.01, 90: 0.06, 180: 0.11}, 90),  # exactly at the limit
        ({1: 0.01, 90: 0.04, 181: 0.08}, 135),  # half-way between two measurements
        ({1: 0.01, 90: 0.11}, 45),
        ({1: 0.02, 4: 0.065}, 3),  # 3.67 rounds down
        ({1: 0.06}, 1),
        ({1: 0.09}, 1),  # one stream is offered even if it lags
        ({1: 0.01, 4: 0.07, 8: 0.05}, 3),  # a larger number that was measured at a quieter moment doesn't count
        ({}, 1),
    ],
)
def test_slots_are_interpolated_between_measurements(measurements, slots):
    assert slots_by_time(measurements, limit=0.06) == slots


class Machine:
    """Steps of a made-up duration, and the numbers of slots that were measured."""

    def __init__(self, seconds):
        self._seconds = seconds
        self.measured = []

    def measure(self, slots):
        self.measured.append(slots)
        return self._seconds(slots)


def test_one_half_and_all_slots_are_measured():
    machine = Machine(lambda slots: 0.01 + 0.0001 * slots)
    assert find_slots(machine.measure, 200, limit=0.06) == 200
    assert machine.measured == [1, 100, 200]


def test_nothing_is_measured_beyond_what_is_too_slow_and_what_is_interpolated_is_confirmed():
    machine = Machine(lambda slots: 0.0095 + 0.001 * slots)
    assert find_slots(machine.measure, 200, limit=0.06) == 50
    assert machine.measured == [1, 100, 50]


def test_a_machine_that_is_too_slow_for_one_stream_makes_one_measurement_and_gets_one_slot():
    machine = Machine(lambda slots: 0.3)
    assert find_slots(machine.measure, 8, limit=0.06) == 1
    assert machine.measured == [1]


@pytest.mark.parametrize(("slots", "measured"), [(1, [1]), (2, [1, 2]), (3, [1, 3]), (4, [1, 2, 4])])
def test_no_number_is_measured_twice(slots, measured):
    machine = Machine(lambda slots: 0.01)
    assert find_slots(machine.measure, slots, limit=0.06) == slots
    assert machine.measured == measured


@pytest.mark.parametrize("curve", [0.5, 0.8, 1.0, 1.3, 2.0])
@pytest.mark.parametrize("limit", [0.02, 0.03, 0.05])
def test_the_result_is_fast_enough_and_close_to_the_largest_whatever_the_curve(curve, limit):
    def seconds(slots):
        return 0.01 + 0.1 * (slots / 1000) ** curve

    machine = Machine(seconds)
    found = find_slots(machine.measure, 1000, limit)
    largest = max(slots for slots in range(1, 1001) if seconds(slots) <= limit)
    assert seconds(found) <= limit
    assert found > largest / 2
    assert len(machine.measured) <= 3 + MAX_CONFIRMATIONS


def test_the_median_counts_and_not_a_step_that_was_interrupted(monkeypatch):
    now, durations = 0.0, iter([9.0, 9.0, 0.02, 0.5, 0.01, 0.03, 0.02])

    def step():
        nonlocal now
        now += next(durations)

    monkeypatch.setattr(step_time, "perf_counter", lambda: now)
    assert median_seconds(step, warm_up=2) == pytest.approx(0.02)
    assert next(durations, None) is None
    assert MEASURED_STEPS == 5
