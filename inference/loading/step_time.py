"""How many slots of a batch keep up with real time, from the measured duration of its steps."""

from collections.abc import Callable, Mapping
from statistics import median
from time import perf_counter

FRAME_SECONDS = 0.08
"""The duration of a frame: a step that takes longer falls behind."""
MAX_STEP_SECONDS = 0.06
"""The longest step of automatically chosen slots: a quarter of the frame is left for opening streams, for steps that
take longer than the median, and for other engines."""
WARM_UP_STEPS = 1
"""Steps before those that are measured."""
MEASURED_STEPS = 5
"""Measured steps, whose median counts: on a busy machine single ones take much longer."""
MAX_CONFIRMATIONS = 4
"""Measurements of interpolated numbers of slots."""
TOLERANCE = 0.05
"""Share of the slots for which another measurement isn't worth its time."""


def median_seconds(step: Callable[[], object], warm_up: int = WARM_UP_STEPS) -> float:
    """The median duration of a step, which returns when its results are there."""
    for _ in range(warm_up):
        step()
    return median(_seconds(step) for _ in range(MEASURED_STEPS))


def slots_by_time(measurements: Mapping[int, float], limit: float = MAX_STEP_SECONDS) -> int:
    """The number of slots whose step takes at most `limit` seconds, interpolated between measurements, but at least 1.

    `measurements`: seconds of a step, by number of slots. Beyond the largest number nothing is assumed.
    """
    fast, slow = _bounds(measurements, limit)
    if slow is None:
        return max(1, fast)
    before = measurements.get(fast, 0.0)
    share = (limit - before) / (measurements[slow] - before)
    return max(1, fast + int(share * (slow - fast)))


def find_slots(measure: Callable[[int], float], slots: int, limit: float = MAX_STEP_SECONDS) -> int:
    """The largest number of slots, of at most `slots`, whose step takes at most `limit` seconds; 1 if none does.

    Measures 1, half and all of them, but none beyond the first that takes too long, and then what is interpolated.
    `measure` returns the seconds of a step with so many slots.
    """
    seconds: dict[int, float] = {}
    for size in sorted({1, max(1, slots // 2), slots}):
        seconds[size] = measure(size)
        if seconds[size] > limit:
            break
    misses = 0
    for _ in range(MAX_CONFIRMATIONS):
        fast, slow = _bounds(seconds, limit)
        # Where many rows are cheaper than few, interpolation finds too many again and again.
        size = slots_by_time(seconds, limit) if misses < 2 or slow is None else (fast + slow) // 2
        if size <= (1 + TOLERANCE) * fast or size in seconds:
            break
        seconds[size] = measure(size)
        misses = misses + 1 if seconds[size] > limit else 0
    return max(1, _bounds(seconds, limit)[0])


def _bounds(seconds: Mapping[int, float], limit: float) -> tuple[int, int | None]:
    """The number of slots before the first that is too slow, 0 if there is none, and that first one if there is one."""
    fast = 0
    for slots in sorted(seconds):
        if seconds[slots] > limit:
            return fast, slots
        fast = slots
    return fast, None


def _seconds(step: Callable[[], object]) -> float:
    started = perf_counter()
    step()
    return perf_counter() - started
