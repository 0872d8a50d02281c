"""Kyutai's text to speech for many concurrent streams: each step is one frame of 80 ms for all slots chosen for it.

The model writes its text 1.28 s ahead of its speech, and until a stream's speech begins a step needs no audio. Such a
silent step costs half. Starting streams get silent steps in a row while all speaking streams are ahead of playback,
otherwise two for each step of all slots: the first audio arrives soon, and no stream's speech is interrupted.

When memory runs out, the newest streams lose their slots; the speech of the others does not change.
"""

import logging
import secrets
import time
from collections.abc import Collection, Mapping
from functools import lru_cache

import numpy as np
import torch
from moshi.conditioners import ConditionAttributes
from moshi.models.tts import TTSModel

from inference.engine import Frame
from inference.engines.eviction import OUT_OF_MEMORY, run_evicting
from inference.engines.registry import GUIDANCE, SEED, TEMPERATURE
from inference.engines.tts.moshi_tts.batch import Batch, Conditions
from inference.engines.tts.moshi_tts.segment import Segment, TimedWord
from inference.engines.tts.moshi_tts.voices import VoiceError, Voices
from inference.loading.step_time import FRAME_SECONDS
from inference.messages import (
    FRAME_SAMPLES,
    SAMPLE_RATE,
    Audio,
    Closed,
    Control,
    Event,
    Open,
    Rejected,
    SlotLimits,
    Step,
    Word,
)

logger = logging.getLogger(__name__)

MAX_CONSECUTIVE_SILENT_STEPS = 2
"""Steps without audio, for starting streams, before streams that speak no faster than real time get a step again;
upstream's number."""
MIN_AUDIO_AHEAD = 0.25
"""Seconds of audio ahead of playback with which a stream can wait."""

MAX_CACHED_CONDITIONS = 64
"""Cached conditions; 2.5 MB each on the device, for the real model."""


class _SlotState:
    """Current segment of a slot, and the samples produced so far."""

    def __init__(self, request: Open, segment: Segment) -> None:
        self.refusal: Rejected | Closed | None = None
        self.segment = segment
        self.must_rewind = False
        """The next step begins a segment."""
        self.produced = self.segment_start = request.position  # samples of the session
        self._playback_start: tuple[float, int] | None = None  # monotonic time and sample of the first frame

    def count_frame(self) -> None:
        self._playback_start = self._playback_start or (time.monotonic(), self.produced)
        self.produced += FRAME_SAMPLES

    @property
    def can_step(self) -> bool:
        return self.refusal is None and self.segment.can_step

    @property
    def is_ahead(self) -> bool:
        if self._playback_start is None:
            return False
        since, first = self._playback_start
        return (self.produced - first) / SAMPLE_RATE - (time.monotonic() - since) > MIN_AUDIO_AHEAD

    def word(self, word: TimedWord) -> Word:
        return Word(word.text, self._seconds(word.start), self._seconds(word.end), None)

    def _seconds(self, frames: int) -> float:
        return round((self.segment_start + frames * FRAME_SAMPLES) / SAMPLE_RATE, 3)


class MoshiTts:
    def __init__(self, model: TTSModel, voices: Voices, slots: int, slot_limits: SlotLimits | None = None) -> None:
        """`slot_limits`: by which the number of slots was chosen."""
        self.slots = slots
        self.slot_limits = slot_limits
        self.voices = voices.listed
        self._model = model
        self._guidance = sorted(model.valid_cfg_conditionings)
        self._batch = Batch(model, slots, initial_attributes(model, voices))
        if self._batch.step_seconds > FRAME_SECONDS:
            logger.warning(
                "a step of %d slots takes %.0f ms, longer than an 80 ms frame: speech will be interrupted. Use fewer "
                "slots (TTS_SLOTS), a faster device or another engine.",
                slots,
                1000 * self._batch.step_seconds,
                extra={"error_class": "performance"},
            )
        self._streams: dict[int, _SlotState] = {}
        self._silent_steps = 0

        @lru_cache(MAX_CACHED_CONDITIONS)
        def conditions(voice: str, cfg: float) -> Conditions:
            return self._batch.conditions(voices.attributes(voice, cfg))

        self._conditions = conditions

    def open(self, slot: int, request: Open) -> None:
        state = self._streams[slot] = _SlotState(request, Segment(self._model))
        seed = int(_control(request, SEED)) or secrets.randbits(31)
        try:
            conditions = self._conditions(request.voice or self.voices[0].name, self._guidance_of(request))
            self._batch.open(slot, conditions, seed, _control(request, TEMPERATURE))
        except VoiceError as error:
            state.refusal = Rejected(str(error))
        except torch.OutOfMemoryError as error:
            logger.error("out of memory; evicting a new stream: %s", error, extra={"error_class": "memory"})
            state.refusal = OUT_OF_MEMORY

    def step(self, inputs: Mapping[int, str]) -> dict[int, list[Event]]:
        for slot, text in inputs.items():
            self._add_text(slot, text)
        ready = [slot for slot in inputs if self._streams[slot].can_step]
        chosen = self._choose_slots(ready)
        frames, closed = run_evicting(lambda: self._advance(chosen), self._streams, self._evict)
        output = {slot: self._output(slot, frames.get(slot), slot in ready) for slot in inputs if slot in self._streams}
        return {slot: events for slot, events in output.items() if events} | closed

    def flush(self, slot: int) -> list[Event]:
        self._streams[slot].segment.finish()
        return []

    def close(self, slot: int) -> None:
        self._streams.pop(slot, None)  # it may have been evicted

    def _evict(self, slot: int) -> None:
        self.close(slot)
        self._conditions.cache_clear()  # voices can be read again

    def _guidance_of(self, request: Open) -> float:
        """The supported guidance value nearest to the requested one."""
        requested = _control(request, GUIDANCE)
        return min(self._guidance, key=lambda value: abs(value - requested))

    def _add_text(self, slot: int, text: str) -> None:
        state = self._streams[slot]
        if text and state.segment.is_over:
            state.segment, state.segment_start, state.must_rewind = Segment(self._model), state.produced, True
        state.segment.add(text)

    def _choose_slots(self, ready: Collection[int]) -> Collection[int]:
        silent = [slot for slot in ready if self._streams[slot].segment.is_silent]
        can_wait = all(self._streams[slot].is_ahead for slot in ready if slot not in silent)
        if silent and (can_wait or self._silent_steps < MAX_CONSECUTIVE_SILENT_STEPS):
            self._silent_steps += 1
            return silent
        self._silent_steps = 0
        return ready

    def _advance(self, chosen: Collection[int]) -> dict[int, Frame]:
        """Step the chosen slots that were not evicted. It can be repeated when it raises `torch.OutOfMemoryError`."""
        slots = [slot for slot in chosen if slot in self._streams]
        if not slots:
            return {}
        for slot in slots:
            if self._streams[slot].must_rewind:
                self._batch.rewind(slot)
                self._streams[slot].must_rewind = False
        segments = {slot: self._streams[slot].segment for slot in slots}
        speaking = {slot for slot, segment in segments.items() if not segment.is_silent}
        audible = [slot for slot, segment in segments.items() if segment.gives_frame]
        frames = self._batch.step(slots, speaking, audible, lambda slot, token: segments[slot].process_token(token))
        for segment in segments.values():
            segment.count_step()
        return {slot: frame for slot, frame in frames.items() if not segments[slot].is_lead_in}

    def _output(self, slot: int, frame: Frame | None, has_work: bool) -> list[Event]:
        state = self._streams[slot]
        if state.refusal:
            return [state.refusal]
        events: list[Event] = [state.word(word) for word in state.segment.pop_timed_words()]
        if frame is not None:
            events.append(Audio(np.round(frame * 32767).astype("<i2").tobytes()))
            state.count_frame()
        if events or has_work:
            events.append(Step(state.produced, state.produced, 1.0 if frame is not None else 0.0))
        return events


def initial_attributes(model: TTSModel, voices: Voices) -> ConditionAttributes:
    """Conditions of slots before they are opened."""
    return voices.attributes(voices.listed[0].name, min(model.valid_cfg_conditionings))


def _control(request: Open, control: Control) -> float:
    return min(max(request.controls.get(control.name, control.default), control.minimum), control.maximum)
