"""Kyutai's text to speech for many concurrent streams: each step is one frame of 80 ms for all slots chosen for it.

The model writes its text 1.28 s ahead of its speech, and until a stream's speech begins a step needs no audio. Such a
silent step costs half. Starting streams get silent steps in a row while all speaking streams are ahead of playback,
otherwise two for each step of all slots: the first audio arrives soon, and no stream's speech is interrupted.
"""

import logging
import secrets
import time
from collections.abc import Collection, Mapping
from functools import lru_cache

import numpy as np
from moshi.models.tts import TTSModel

from inference.engine import Frame
from inference.engines.registry import GUIDANCE, SEED, TEMPERATURE
from inference.engines.tts.moshi_tts.batch import Batch, Conditions
from inference.engines.tts.moshi_tts.segment import Segment, TimedWord
from inference.engines.tts.moshi_tts.voices import VoiceError, Voices
from inference.messages import FRAME_SAMPLES, SAMPLE_RATE, Audio, Control, Event, Open, Rejected, Step, Word

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
        self.rejection = ""
        self.segment = segment
        self.produced = self.segment_start = request.position  # samples of the session
        self._playback_start: tuple[float, int] | None = None  # monotonic time and sample of the first frame

    def count_frame(self) -> None:
        self._playback_start = self._playback_start or (time.monotonic(), self.produced)
        self.produced += FRAME_SAMPLES

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
    def __init__(self, model: TTSModel, voices: Voices, slots: int) -> None:
        self.slots = slots
        self.voices = voices.listed
        self._model = model
        self._guidance = sorted(model.valid_cfg_conditionings)
        self._batch = Batch(model, slots, voices.attributes(self.voices[0].name, self._guidance[0]))
        self._streams: dict[int, _SlotState] = {}
        self._silent_steps = 0

        @lru_cache(MAX_CACHED_CONDITIONS)
        def conditions(voice: str, cfg: float) -> Conditions:
            return self._batch.conditions(voices.attributes(voice, cfg))

        self._conditions = conditions

    def open(self, slot: int, request: Open) -> None:
        state = self._streams[slot] = _SlotState(request, Segment(self._model))
        try:
            conditions = self._conditions(request.voice or self.voices[0].name, self._guidance_of(request))
        except VoiceError as error:
            state.rejection = str(error)
            return
        seed = int(_control(request, SEED)) or secrets.randbits(31)
        self._batch.open(slot, conditions, seed, _control(request, TEMPERATURE))

    def step(self, inputs: Mapping[int, str]) -> dict[int, list[Event]]:
        for slot, text in inputs.items():
            self._add_text(slot, text)
        ready = [slot for slot in inputs if self._streams[slot].segment.can_step]
        chosen = self._choose_slots(ready)
        frames = self._advance(chosen) if chosen else {}
        output = {slot: self._output(slot, frames.get(slot), slot in ready) for slot in inputs}
        return {slot: events for slot, events in output.items() if events}

    def flush(self, slot: int) -> list[Event]:
        self._streams[slot].segment.finish()
        return []

    def close(self, slot: int) -> None:
        del self._streams[slot]

    def _guidance_of(self, request: Open) -> float:
        """The supported guidance value nearest to the requested one."""
        requested = _control(request, GUIDANCE)
        return min(self._guidance, key=lambda value: abs(value - requested))

    def _add_text(self, slot: int, text: str) -> None:
        state = self._streams[slot]
        if text and state.segment.is_over:
            state.segment, state.segment_start = Segment(self._model), state.produced
            self._batch.rewind(slot)
        state.segment.add(text)

    def _choose_slots(self, ready: Collection[int]) -> Collection[int]:
        silent = [slot for slot in ready if self._streams[slot].segment.is_silent]
        can_wait = all(self._streams[slot].is_ahead for slot in ready if slot not in silent)
        if silent and (can_wait or self._silent_steps < MAX_CONSECUTIVE_SILENT_STEPS):
            self._silent_steps += 1
            return silent
        self._silent_steps = 0
        return ready

    def _advance(self, slots: Collection[int]) -> dict[int, Frame]:
        segments = {slot: self._streams[slot].segment for slot in slots}
        speaking = {slot for slot, segment in segments.items() if not segment.is_silent}
        audible = [slot for slot, segment in segments.items() if segment.gives_frame]
        frames = self._batch.step(slots, speaking, audible, lambda slot, token: segments[slot].process_token(token))
        for segment in segments.values():
            segment.count_step()
        return {slot: frame for slot, frame in frames.items() if not segments[slot].is_lead_in}

    def _output(self, slot: int, frame: Frame | None, has_work: bool) -> list[Event]:
        state = self._streams[slot]
        if state.rejection:
            return [Rejected(state.rejection)]
        events: list[Event] = [state.word(word) for word in state.segment.pop_timed_words()]
        if frame is not None:
            events.append(Audio(np.round(frame * 32767).astype("<i2").tobytes()))
            state.count_frame()
        if events or has_work:
            events.append(Step(state.produced, state.produced, 1.0 if frame is not None else 0.0))
        return events


def _control(request: Open, control: Control) -> float:
    return min(max(request.controls.get(control.name, control.default), control.minimum), control.maximum)
