"""The real-time loop over slots.

Each host has a loop of its own: take the next input of every slot that has one (a frame of audio, or text), step the
engine once, tell what follows.
It runs as soon as there is something to do and never waits for a clock. Slots that lag take one frame a step like all
others: they catch up as fast as the engine is faster than real time, and starve nobody. One that has its host to itself
may make a few steps at a time.
"""

import asyncio
import logging
import time
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator

from inference.engine import EngineLost, Inputs
from inference.executors.base import Host
from inference.messages import (
    STEP_BOUNDS,
    Audio,
    Close,
    Closed,
    Down,
    Event,
    Here,
    Kind,
    Marker,
    Open,
    Partial,
    Refused,
    StepTimes,
    Text,
    Up,
    Voice,
)
from inference.observability import metrics
from inference.observability.recent_errors import RECOVERED
from inference.slots import Lane, Slot
from inference.stream import Stream, Unfit, stream_for

logger = logging.getLogger(__name__)

FIRST_SIGN = 3.0
"""Seconds that a stream has to say that it is there; the process that asked for its slot may have ended."""
LEASE = 15.0
"""Seconds without a message after which a stream loses its slot: whoever leaked it will not come back."""
REAPS_EVERY = 1.0

Tell = Callable[[Stream, Down], None]


class Scheduler:
    def __init__(self, hosts: Iterable[Host], tell: Tell, kind: Kind = "stt", engine: str = "") -> None:
        self._lanes = [Lane(host) for host in hosts]
        self._tell = tell
        self._kind = kind
        self._engine = engine
        self._slots: dict[str, Slot] = {}
        metrics.expect(engine)
        self._step_bounds = STEP_BOUNDS[kind]
        self._step_counts = [0] * (len(self._step_bounds) + 1)
        self._step_seconds = 0.0
        self.slot_is_free = asyncio.Event()
        self.is_up = asyncio.Event()  # for the first time, all of it

    # --- What the worker asks of it -------------------------------------------------------------------------------

    @property
    def slots(self) -> int:
        return sum(len(lane.slots) for lane in self._lanes if lane.up)

    @property
    def free(self) -> int:
        return sum(1 for _ in self._free_slots())

    @property
    def note(self) -> str:
        """What the engine is doing before it has slots."""
        return next((lane.host.note for lane in self._lanes if not lane.up), "")

    @property
    def steps(self) -> StepTimes:
        return StepTimes(list(self._step_counts), self._step_seconds)

    @property
    def voices(self) -> list[Voice]:
        return next((lane.host.voices for lane in self._lanes if lane.up), [])

    def open(self, request: Open) -> Stream | None:
        """Give the stream a slot, if one is free and it has none: in the lane that has the fewest streams."""
        if request.stream in self._slots:
            return None  # the channel layer may deliver twice
        lanes = [lane for lane in self._lanes if any(slot.is_free for slot in lane.slots)]
        lane = min(lanes, key=lambda lane: lane.streams, default=None)
        slot = next((slot for slot in lane.slots if slot.is_free), None) if lane else None
        if slot is None:
            return None
        slot.stream = stream_for(self._kind, request, self._engine)
        self._slots[request.stream] = slot
        slot.lane.touch(slot)
        self._note_free()
        return slot.stream

    def receive(self, stream_id: str, seq: int, message: Up) -> None:
        """Take what a stream sends. One that has no slot here has been told so when it lost it."""
        slot = self._slots.get(stream_id)
        if slot is None or slot.stream is None:
            return
        stream = slot.stream
        if seq < stream.next_seq:
            return  # the channel layer may deliver twice
        if seq > stream.next_seq:
            self._give_up(slot, f"messages {stream.next_seq} to {seq - 1} were lost on the way")
            return
        stream.next_seq += 1
        stream.last_sign = time.monotonic()
        match message:
            case Here():
                return
            case Close():
                self._release(slot)
            case _:
                self._take(slot, stream, message)
        slot.lane.touch(slot)

    def _take(self, slot: Slot, stream: Stream, message: Audio | Text | Marker) -> None:
        try:
            stream.take(message)
        except Unfit as error:
            self._give_up(slot, str(error))

    def give_up_all(self, reason: str) -> None:
        for slot in list(self._slots.values()):
            self._give_up(slot, reason, logging.INFO)

    async def run(self) -> None:
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._reap())
                for lane in self._lanes:
                    tasks.create_task(self._run(lane))
        finally:
            await asyncio.gather(*(lane.host.stop() for lane in self._lanes))

    # --- A lane ---------------------------------------------------------------------------------------------------

    async def _run(self, lane: Lane) -> None:
        back_off = 0.5
        lost_at: float | None = None
        while True:
            try:
                with metrics.warming_up(self._engine):
                    await lane.start()
                if lost_at is not None:
                    away = time.monotonic() - lost_at
                    logger.info("%s is up again, after %.1f s", self._engine, away, extra=RECOVERED)
                    lost_at = None
                self._note_free()
                if all(lane.up for lane in self._lanes):
                    self.is_up.set()
                while True:
                    await self._tick(lane)
                    back_off = 0.5
            except EngineLost as error:
                metrics.LOST.labels(self._engine).inc()
                logger.error("engine lost, starting it again in %.1f s: %s", back_off, error)
                lost_at = lost_at or time.monotonic()
                self._lose(lane)
            await asyncio.sleep(back_off)
            back_off = min(2 * back_off, 30)

    async def _tick(self, lane: Lane) -> None:
        slots = await lane.touched()
        for slot in slots:
            await self._turn_over(slot)
        await self._step(lane, slots)
        for slot in slots:
            await self._flush(slot)
            await self._unstick(slot)
        for slot in slots:
            if slot.has_work:
                lane.touch(slot)
        await asyncio.sleep(0)  # an engine in this very loop must let the sockets have their turn

    async def _turn_over(self, slot: Slot) -> None:
        """Bring the engine's slot in line with who has it now."""
        stream = slot.stream
        if slot.opened is stream:
            return
        if slot.opened is not None:
            await slot.lane.host.close(slot.index)
        if stream is not None:
            await slot.lane.host.open(slot.index, stream.request)
        slot.opened = stream
        self._note_free()

    async def _step(self, lane: Lane, slots: set[Slot]) -> None:
        rounds = [self._inputs(slots)]
        if not rounds[0] and not any(slot.is_busy for slot in slots):
            return
        while len(rounds) < lane.host.rounds and (inputs := self._inputs(slots)):
            rounds.append(inputs)
        began = time.monotonic()
        told_in = await lane.host.step(rounds)
        seconds = (time.monotonic() - began) / len(rounds)
        for told in told_in:
            self._note_step(seconds)
            for index, events in told.items():
                if stream := lane.slots[index].serving:
                    stream.trace.stepped(seconds)
                self._tell_all(lane.slots[index], events)

    def _inputs(self, slots: set[Slot]) -> Inputs:
        return {
            slot.index: slot.serving.next_input()
            for slot in slots
            if slot.serving and slot.serving.has_input and not slot.is_busy
        }

    def _note_step(self, seconds: float) -> None:
        self._step_counts[bisect_left(self._step_bounds, seconds)] += 1
        self._step_seconds += seconds
        metrics.STEPS.labels(self._engine).observe(seconds)

    async def _flush(self, slot: Slot) -> None:
        if (stream := slot.serving) and stream.must_flush and not slot.is_busy:
            self._tell_all(slot, await slot.lane.host.flush(slot.index))
            stream.note_flush()
        if (stream := slot.serving) and stream.marker_is_due and not slot.is_busy:
            self._tell(stream, Marker(stream.take_marker()))

    async def _unstick(self, slot: Slot) -> None:
        if (stream := slot.serving) and stream.is_stalled:
            logger.warning("stream %s: speech and no word for long; its slot begins afresh", stream.id)
            await slot.lane.host.close(slot.index)
            await slot.lane.host.open(slot.index, stream.request_from_here)
            stream.note(Partial("", 0, 0))

    def _tell_all(self, slot: Slot, events: list[Event]) -> None:
        for event in events:
            if isinstance(event, Closed):
                slot.is_retired = True
                self._give_up(slot, event.reason)
            elif (stream := slot.serving) is None:
                pass  # it went away while the engine worked
            elif isinstance(event, Refused):
                self._give_up(slot, event.reason, is_refusal=True)
            else:
                self._tell(stream, event)
                stream.note(event)

    # --- Who has which slot ---------------------------------------------------------------------------------------

    def _free_slots(self) -> Iterator[Slot]:
        return (slot for lane in self._lanes for slot in lane.slots if slot.is_free)

    def _note_free(self) -> None:
        if any(self._free_slots()):
            self.slot_is_free.set()
        else:
            self.slot_is_free.clear()

    def _give_up(self, slot: Slot, reason: str, level: int = logging.WARNING, is_refusal: bool = False) -> None:
        if slot.stream is not None:
            logger.log(level, "stream %s loses its slot: %s", slot.stream.id, reason)
            self._tell(slot.stream, Closed(reason, is_refusal))
            self._release(slot)

    def _release(self, slot: Slot) -> None:
        if slot.stream is not None:
            del self._slots[slot.stream.id]
            slot.stream.trace.end()
            slot.stream = None
            slot.lane.touch(slot)

    def _lose(self, lane: Lane) -> None:
        lane.up = False
        for slot in lane.slots:
            self._give_up(slot, "the engine was lost")
            slot.opened = None
        self._note_free()

    async def _reap(self) -> None:
        while True:
            await asyncio.sleep(REAPS_EVERY)
            behind = max((slot.stream.behind for slot in self._slots.values() if slot.stream), default=0)
            metrics.FRAMES_BEHIND.labels(self._engine).set(behind)
            for slot in list(self._slots.values()):
                if slot.stream:
                    self._reap_if_silent(slot, slot.stream)

    def _reap_if_silent(self, slot: Slot, stream: Stream) -> None:
        silent_for = time.monotonic() - stream.last_sign
        if not stream.next_seq and silent_for > FIRST_SIGN:
            self._give_up(slot, "whoever asked for it is gone", logging.INFO)
        elif silent_for > LEASE:
            self._give_up(slot, f"nothing came from it for {LEASE:.0f} s")
