"""The real-time loop over slots.

Each replica has its own loop: collect the next input of every slot that has one (a frame of audio, or text), step the
engine once, emit its events.
It runs as soon as there is work and never waits for a clock. Slots that lag process one frame per step like all others:
they catch up as fast as the engine is faster than real time, and starve no other slot. A slot that has its executor to
itself may make a few steps at a time.
"""

import asyncio
import logging
import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Iterator

from inference.engine import EngineLost, Inputs
from inference.executors.base import Executor
from inference.messages import (
    FAIR_LEAD,
    STEP_BUCKETS,
    Accept,
    Close,
    Closed,
    Down,
    Event,
    Kind,
    Marker,
    Open,
    Reassign,
    Rejected,
    SlotLimits,
    StepLatencies,
    Up,
    Voice,
)
from inference.observability import metrics
from inference.observability.recent_errors import (
    INITIALIZATION_ERROR,
    MEMORY_ERROR,
    NETWORK_ERROR,
    PERFORMANCE_ERROR,
    RECOVERED,
    RUNTIME_ERROR,
    Extra,
    is_memory_error,
)
from inference.slots import Replica, Slot
from inference.streams.base import BadInput, Stream
from inference.streams.index import stream_for

logger = logging.getLogger(__name__)

ACCEPT_TIMEOUT = 3.0
"""Seconds within which a stream must send its first message; the web process that requested the slot may have ended."""
IDLE_TIMEOUT = 15.0
"""Seconds without a message after which a stream loses its slot: its web process leaked it."""
REAP_INTERVAL = 1.0

Emit = Callable[[Stream, Down], None]


class Scheduler:
    def __init__(self, executors: Iterable[Executor], emit: Emit, kind: Kind = "stt", engine: str = "") -> None:
        self._replicas = [Replica(executor) for executor in executors]
        self._emit = emit
        self._kind = kind
        self._engine = engine
        self._slots: dict[str, Slot] = {}
        metrics.initialize_counters(engine)
        self._step_buckets = STEP_BUCKETS[kind]
        self._step_counts = [0] * (len(self._step_buckets) + 1)
        self._step_seconds = 0.0
        self.slot_is_free = asyncio.Event()
        self.is_up = asyncio.Event()  # set when all replicas have started for the first time

    @property
    def slots(self) -> int:
        return sum(len(replica.slots) for replica in self._replicas if replica.up)

    @property
    def free(self) -> int:
        return sum(1 for _ in self._free_slots())

    @property
    def progress(self) -> str:
        """Progress of the engine's start, before it has slots."""
        return next((replica.executor.progress for replica in self._replicas if not replica.up), "")

    @property
    def accounts(self) -> Counter[str]:
        """Number of slots that each account holds."""
        return Counter(slot.account for slot in self._slots.values() if slot.account)

    @property
    def step_latencies(self) -> StepLatencies:
        return StepLatencies(list(self._step_counts), self._step_seconds)

    @property
    def measured_at(self) -> float:
        """Unix time of the last measurement of the number of slots; 0 if it was not measured."""
        return max(replica.capacity.measured_at for replica in self._replicas)

    @property
    def slot_limits(self) -> SlotLimits | None:
        """Of an engine that chose its number of slots by memory and the duration of its steps; it has one replica."""
        return next((replica.executor.slot_limits for replica in self._replicas if replica.up), None)

    @property
    def voices(self) -> list[Voice]:
        return next((replica.executor.voices for replica in self._replicas if replica.up), [])

    def open(self, request: Open) -> Stream | None:
        """Assign a slot of the replica with the fewest streams; None if no slot is free or the stream has one."""
        if request.stream in self._slots:
            return None  # the channel layer may deliver twice
        candidates = [replica for replica in self._replicas if any(slot.is_free for slot in replica.slots)]
        replica = min(candidates, key=lambda replica: replica.streams, default=None)
        slot = next((slot for slot in replica.slots if slot.is_free), None) if replica else None
        if slot is None:
            return None
        slot.stream = stream_for(self._kind, request, self._engine)
        self._slots[request.stream] = slot
        slot.replica.mark_ready(slot)
        self._update_slot_is_free()
        return slot.stream

    def receive(self, stream_id: str, seq: int, message: Up) -> None:
        """Process a message of a stream. A stream without a slot here got a `Closed` when it lost it."""
        slot = self._slots.get(stream_id)
        if slot is None or slot.stream is None:
            return
        stream = slot.stream
        if seq < stream.next_seq:
            return  # the channel layer may deliver twice
        if seq > stream.next_seq:
            self._evict(slot, f"messages {stream.next_seq} to {seq - 1} were lost", extra=NETWORK_ERROR)
            return
        stream.next_seq += 1
        stream.last_message_at = time.monotonic()
        match message:
            case Accept():
                return
            case Close():
                self._release(slot)
            case Marker(id=marker):
                stream.add_marker(marker)
            case _:
                try:
                    stream.receive(message)
                except BadInput as error:
                    self._evict(slot, str(error))
        slot.replica.mark_ready(slot)

    def reassign(self, message: Reassign) -> bool:
        """Take the holder's newest slot, those of programs first. False if the holder no longer has too many."""
        held = self.accounts
        if held[message.holder] + message.lead < held[message.account] + FAIR_LEAD:
            return False
        newest = [slot for slot in reversed(self._slots.values()) if slot.account == message.holder]
        if not newest:
            return False
        slot = min(newest, key=lambda slot: slot.priority)  # the first of equals, so the newest
        self._evict(slot, "another account waits for one of its slots", logging.INFO, is_reassigned=True)
        return True

    def evict_all(self, reason: str) -> None:
        for slot in list(self._slots.values()):
            self._evict(slot, reason, logging.INFO)

    async def run(self) -> None:
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._reap())
                for replica in self._replicas:
                    tasks.create_task(self._run(replica))
        finally:
            await asyncio.gather(*(replica.executor.stop() for replica in self._replicas))

    async def _run(self, replica: Replica) -> None:
        back_off = 0.5
        lost_at: float | None = None
        while True:
            try:
                with metrics.warming_up(self._engine):
                    await replica.start()
                if limits := replica.executor.slot_limits:
                    metrics.record_slot_limits(self._engine, limits)
                if lost_at is not None:
                    duration = time.monotonic() - lost_at
                    logger.info(
                        "%s restarted after %.1f s", self._engine, duration, extra=INITIALIZATION_ERROR | RECOVERED
                    )
                    lost_at = None
                self._update_slot_is_free()
                if all(replica.up for replica in self._replicas):
                    self.is_up.set()
                while True:
                    await self._tick(replica)
                    back_off = 0.5
            except EngineLost as error:
                metrics.LOST.labels(self._engine).inc()
                extra = MEMORY_ERROR if is_memory_error(error.__cause__) else INITIALIZATION_ERROR
                logger.error("engine lost; restarting in %.1f s: %s", back_off, error, extra=extra)
                lost_at = lost_at or time.monotonic()
                self._on_engine_lost(replica)
            await asyncio.sleep(back_off)
            back_off = min(2 * back_off, 30)

    async def _tick(self, replica: Replica) -> None:
        slots = await replica.ready_slots()
        if await replica.measure_if_requested():
            logger.info("%s has %d slots now: its capacity was measured again", self._engine, self.slots)
            self._update_slot_is_free()
        for slot in slots:
            if slot.opened is not slot.stream:
                await self._sync_slot(slot)
        await self._step(replica, slots)
        for slot in slots:
            await self._restart_stalled(slot)
            await self._flush(slot)
        for slot in slots:
            if slot.has_work:
                replica.mark_ready(slot)
        await asyncio.sleep(0)  # an engine in this event loop must let other tasks run

    async def _sync_slot(self, slot: Slot) -> None:
        """Close and open the engine's slot so that it matches the slot's current stream."""
        stream = slot.stream
        if slot.opened is not None:
            await slot.replica.executor.close(slot.index)
        if stream is not None:
            await slot.replica.executor.open(slot.index, stream.request)
        slot.opened = stream
        self._update_slot_is_free()

    async def _step(self, replica: Replica, slots: set[Slot]) -> None:
        rounds = [self._inputs(slots)]
        if not rounds[0] and not any(slot.is_draining for slot in slots):
            return
        while len(rounds) < replica.executor.steps_per_call and (inputs := self._inputs(slots)):
            rounds.append(inputs)
        started = time.monotonic()
        outputs = await replica.executor.step(rounds)
        seconds = (time.monotonic() - started) / len(rounds)
        for output in outputs:
            self._record_step(seconds)
            for index, events in output.items():
                if stream := replica.slots[index].serving:
                    stream.trace.on_step(seconds)
                self._emit_all(replica.slots[index], events)

    def _inputs(self, slots: set[Slot]) -> Inputs:
        return {
            slot.index: stream.next_input()
            for slot in slots
            if (stream := slot.serving) and stream.has_input and not slot.is_draining
        }

    def _record_step(self, seconds: float) -> None:
        self._step_counts[bisect_left(self._step_buckets, seconds)] += 1
        self._step_seconds += seconds
        metrics.STEPS.labels(self._engine).observe(seconds)

    async def _flush(self, slot: Slot) -> None:
        if (stream := slot.serving) and stream.must_flush and not slot.is_draining:
            self._emit_all(slot, await slot.replica.executor.flush(slot.index))
            stream.on_flushed()
        if (stream := slot.serving) and stream.marker_is_due and not slot.is_draining:
            self._emit(stream, Marker(stream.pop_marker()))

    async def _restart_stalled(self, slot: Slot) -> None:
        """Have the engine restart a stream on which it is stalled."""
        if (stream := slot.serving) and stream.is_stalled:
            seconds = stream.rewind()
            reaction = f"transcribing the last {seconds:.0f} s again" if seconds else "going on without them"
            message = "stream %s: speech without words for too long; restarting its slot and %s"
            logger.warning(message, stream.id, reaction, extra=PERFORMANCE_ERROR)
            metrics.STALLS.labels(self._engine, "repeated" if seconds else "skipped").inc()
            await slot.replica.executor.close(slot.index)
            await slot.replica.executor.open(slot.index, stream.request_from_position)

    def _emit_all(self, slot: Slot, events: list[Event]) -> None:
        for event in events:
            if isinstance(event, Closed):
                slot.is_retired = True
                self._evict(slot, event.reason)
            elif (stream := slot.serving) is None:
                pass  # it ended during the step
            elif isinstance(event, Rejected):
                self._evict(slot, event.reason, is_rejection=True)
            elif (message := stream.on_event(event)) is not None:
                self._emit(stream, message)

    def _free_slots(self) -> Iterator[Slot]:
        return (slot for replica in self._replicas for slot in replica.slots if slot.is_free)

    def _update_slot_is_free(self) -> None:
        if any(self._free_slots()):
            self.slot_is_free.set()
        else:
            self.slot_is_free.clear()

    def _evict(
        self,
        slot: Slot,
        reason: str,
        level: int = logging.WARNING,
        *,
        is_rejection: bool = False,
        is_reassigned: bool = False,
        extra: Extra = RUNTIME_ERROR,
    ) -> None:
        if slot.stream is not None:
            logger.log(level, "stream %s loses its slot: %s", slot.stream.id, reason, extra=extra)
            self._emit(slot.stream, Closed(reason, is_rejection, is_reassigned))
            self._release(slot)

    def _release(self, slot: Slot) -> None:
        if slot.stream is not None:
            del self._slots[slot.stream.id]
            slot.stream.trace.end()
            slot.stream = None
            slot.replica.mark_ready(slot)

    def _on_engine_lost(self, replica: Replica) -> None:
        replica.up = False
        for slot in replica.slots:
            self._evict(slot, "the engine was lost")
            slot.opened = None
        self._update_slot_is_free()

    async def _reap(self) -> None:
        while True:
            await asyncio.sleep(REAP_INTERVAL)
            behind = max((slot.stream.behind for slot in self._slots.values() if slot.stream), default=0)
            metrics.FRAMES_BEHIND.labels(self._engine).set(behind)
            for replica in self._replicas:
                replica.request_measurement_if_due()
            for slot in list(self._slots.values()):
                if slot.stream:
                    self._reap_if_silent(slot, slot.stream)

    def _reap_if_silent(self, slot: Slot, stream: Stream) -> None:
        silent_for = time.monotonic() - stream.last_message_at
        if not stream.next_seq and silent_for > ACCEPT_TIMEOUT:
            self._evict(slot, "its web process is gone", logging.INFO)
        elif silent_for > IDLE_TIMEOUT and not stream.behind:  # else its web process waits for this one
            self._evict(slot, f"no data received for {IDLE_TIMEOUT:.0f} s")
