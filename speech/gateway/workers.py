"""The inference processes that are alive, and the engines that they run, by their heartbeats."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from typing import get_args

from msgspec.structs import replace

from inference.messages import FAIR_LEAD, Kind, LoggedError, Reassign, SlotLimits, Status, StepLatencies, Voice

HEARTBEAT_TIMEOUT = 0.9
"""Seconds without a heartbeat after which an inference process counts as dead; four are due in it."""
DISCOVERY_TIMEOUT = 1.0
"""Seconds in which a new link receives a heartbeat of every live inference process."""
VOICES_TIMEOUT = 5.0
"""Seconds in which a text-to-speech engine starts and reports its voices."""


class WorkerRegistry:
    """Workers: each engine of each inference process is one."""

    def __init__(self) -> None:
        self._created_at = time.monotonic()
        self._workers: dict[str, tuple[float, Status]] = {}  # last heartbeat: when it came (monotonic), and the status
        self._voices: dict[str, list[Voice]] = {}  # by engine
        self._recent_errors: dict[str, list[LoggedError]] = {}  # by inference process
        self._free_since: dict[str, float] = {}  # per engine, monotonic
        self._full_since: dict[str, float] = {}
        self._updated = asyncio.Event()

    # --- Engines ----------------------------------------------------------------------------------------------------

    async def engines(self, kind: Kind = "stt") -> dict[str, Status]:
        """Running engines of a kind, by name, with the slots of all their inference processes."""
        with suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, self._created_at + DISCOVERY_TIMEOUT - time.monotonic())):
                while not self._engines(kind):
                    await self._updated.wait()
        return self._engines(kind)

    def _engines(self, kind: Kind) -> dict[str, Status]:
        engines: dict[str, Status] = {}
        for status in self.statuses():
            if status.kind != kind:
                continue
            known = engines.get(status.engine)
            engines[status.engine] = replace(
                status,
                slots=status.slots + (known.slots if known else 0),
                free=status.free + (known.free if known else 0),
                step_latencies=status.step_latencies + (known.step_latencies if known else StepLatencies()),
                voices=self._voices.get(status.engine),
                measured_at=max(status.measured_at, known.measured_at if known else 0.0),
                slot_limits=_sum_of_limits(status, known),
            )
        return engines

    async def all_engines(self) -> list[Status]:
        """Running engines of every kind, by kind and name."""
        return [status for kind in get_args(Kind) for _, status in sorted((await self.engines(kind)).items())]

    async def tts_engines(self) -> dict[str, Status]:
        """Text-to-speech engines by name, each with its voices; waits for those that are starting."""
        with suppress(TimeoutError):
            async with asyncio.timeout(VOICES_TIMEOUT):
                while not all(status.voices for status in (await self.engines("tts")).values()):
                    await self._updated.wait()
        return {name: status for name, status in self._engines("tts").items() if status.voices}

    def process_count(self, engine: str) -> int:
        """Number of inference processes that run it."""
        return sum(status.engine == engine for status in self.statuses())

    def seconds_with_free_slots(self, engine: str) -> float:
        """Seconds. A free slot is taken at once if requests wait; if it is not, they were lost."""
        return _seconds_since(self._free_since.get(engine))

    def seconds_full(self, engine: str) -> float:
        return _seconds_since(self._full_since.get(engine))

    def reassignment(self, engine: str, account: str) -> tuple[str, Reassign] | None:
        """How an account that waits for a slot gets one: a worker, and what to send it. None if a slot is free, or no
        account holds so many more that it should give one up."""
        statuses = [status for status in self.statuses() if status.engine == engine]
        held: Counter[str] = Counter()
        for status in statuses:
            held.update(status.accounts)
        if not held or any(status.free for status in statuses):
            return None
        holder = max(held, key=lambda each: (held[each], each))
        if held[holder] < held[account] + FAIR_LEAD:
            return None
        # All web processes choose the same one, which reassigns one slot after another.
        status = max(statuses, key=lambda status: (status.accounts.get(holder, 0), status.worker))
        local_lead = status.accounts.get(holder, 0) - status.accounts.get(account, 0)
        return status.worker, Reassign(account, holder, held[holder] - held[account] - local_lead)

    def startup_progress(self, engine: str) -> str | None:
        """What an engine that is starting does; None if it is up."""
        starting = [status for status in self.statuses() if status.engine == engine and not status.slots]
        return starting[0].progress if starting and engine not in self._free_since else None

    # --- Inference processes ----------------------------------------------------------------------------------------

    def statuses(self) -> list[Status]:
        """Status of each worker."""
        return [status for _, status in self._workers.values()]

    def recent_errors(self) -> dict[str, list[LoggedError]]:
        """Recent errors by inference process, including processes that have ended."""
        return self._recent_errors

    def update(self, status: Status) -> None:
        self._workers[status.worker] = time.monotonic(), status
        if status.voices:
            self._voices[status.engine] = status.voices
        if status.recent_errors is not None:
            self._recent_errors[status.process] = status.recent_errors
        self._update_capacity(status.engine)
        self._updated.set()  # wakes the tasks that wait now
        self._updated.clear()

    def remove(self, worker: str) -> None:
        _, status = self._workers.pop(worker, (0.0, None))
        if status:
            self._update_capacity(status.engine)

    def silent(self) -> Iterator[tuple[Status, float]]:
        """Workers without a heartbeat for too long, and for how many seconds."""
        now = time.monotonic()
        for received_at, status in list(self._workers.values()):
            if now - received_at > HEARTBEAT_TIMEOUT:
                yield status, now - received_at

    def reset_heartbeats(self) -> None:
        """Count the silence from now on: this process was blocked, and heartbeats wait to be read."""
        now = time.monotonic()
        self._workers = {worker: (now, status) for worker, (_, status) in self._workers.items()}

    def _update_capacity(self, engine: str) -> None:
        if any(status.free for status in self.statuses() if status.engine == engine):
            self._free_since.setdefault(engine, time.monotonic())
            self._full_since.pop(engine, None)
        else:
            self._full_since.setdefault(engine, time.monotonic())
            self._free_since.pop(engine, None)


def _sum_of_limits(*statuses: Status | None) -> SlotLimits | None:
    limits = [status.slot_limits for status in statuses if status and status.slot_limits]
    return sum(limits[1:], limits[0]) if limits else None


def _seconds_since(moment: float | None) -> float:
    return time.monotonic() - moment if moment else 0.0
