"""Kyutai's text to speech, for many streams at once: each step is one frame of 80 ms for all whose turn it is.

The model writes its text 1.28 s ahead of its speech, and until a stream's speech begins a step needs no audio. Such a
step costs half. Streams that begin get them in a row while those who speak are ahead of their listeners, else two of
them for each that all make: so the first sound comes soon, and nobody's speech is broken off.
"""

import logging
import secrets
import time
from collections.abc import Collection, Mapping
from functools import lru_cache

import numpy as np
from moshi.models.tts import TTSModel

from inference.engine import Frame
from inference.engines import GUIDANCE, SEED, TEMPERATURE
from inference.engines.tts.moshi_tts.batch import Batch, Conditions
from inference.engines.tts.moshi_tts.utterance import SpokenWord, Utterance
from inference.engines.tts.moshi_tts.voices import VoiceError, Voices
from inference.messages import FRAME_SAMPLES, SAMPLE_RATE, Audio, Control, Event, Open, Rejected, Step, Word

logger = logging.getLogger(__name__)

SILENT_STEPS_IN_A_ROW = 2
"""Steps without audio, for streams that begin, before one who speaks in no more than real time has a turn again;
upstream's number."""
AHEAD = 0.25
"""Seconds of audio, made and not yet heard, with which a stream can wait."""

VOICES_KEPT = 64
"""Conditions that need not be computed again; 2.5 MB each on the device, for the real model."""


class _Speech:
    """What a slot is to say, in whose voice, and how much of it is said."""

    def __init__(self, request: Open, utterance: Utterance) -> None:
        self.rejection = ""
        self.utterance = utterance
        self.produced = self.began = request.position  # samples of the session; where the utterance began
        self._audio_started_at: tuple[float, int] | None = (
            None  # since when its listener hears it, and from which sample
        )

    def count_audio(self) -> None:
        self._audio_started_at = self._audio_started_at or (time.monotonic(), self.produced)
        self.produced += FRAME_SAMPLES

    @property
    def is_ahead(self) -> bool:
        if self._audio_started_at is None:
            return False
        since, first = self._audio_started_at
        return (self.produced - first) / SAMPLE_RATE - (time.monotonic() - since) > AHEAD

    def word(self, spoken: SpokenWord) -> Word:
        return Word(spoken.text, self._seconds(spoken.start), self._seconds(spoken.end), None)

    def _seconds(self, frames: int) -> float:
        return round((self.began + frames * FRAME_SAMPLES) / SAMPLE_RATE, 3)


class MoshiTts:
    def __init__(self, model: TTSModel, voices: Voices, slots: int) -> None:
        self.slots = slots
        self.voices = voices.listed
        self._model = model
        self._guidance = sorted(model.valid_cfg_conditionings)
        self._batch = Batch(model, slots, voices.attributes(self.voices[0].name, self._guidance[0]))
        self._streams: dict[int, _Speech] = {}
        self._silent_steps = 0

        @lru_cache(VOICES_KEPT)
        def conditions(voice: str, cfg: float) -> Conditions:
            return self._batch.conditions(voices.attributes(voice, cfg))

        self._conditions = conditions

    def open(self, slot: int, request: Open) -> None:
        speech = self._streams[slot] = _Speech(request, Utterance(self._model))
        try:
            conditions = self._conditions(request.voice or self.voices[0].name, self._guidance_of(request))
        except VoiceError as error:
            speech.rejection = str(error)
            return
        seed = int(_control(request, SEED)) or secrets.randbits(31)
        self._batch.begin(slot, conditions, seed, _control(request, TEMPERATURE))

    def step(self, inputs: Mapping[int, str]) -> dict[int, list[Event]]:
        for slot, text in inputs.items():
            self._add_text(slot, text)
        ready = [slot for slot in inputs if self._streams[slot].utterance.can_step]
        turn = self._choose_slots(ready)
        frames = self._advance(turn) if turn else {}
        told = {slot: self._output(slot, frames.get(slot), slot in ready) for slot in inputs}
        return {slot: events for slot, events in told.items() if events}

    def flush(self, slot: int) -> list[Event]:
        self._streams[slot].utterance.finish()
        return []

    def close(self, slot: int) -> None:
        del self._streams[slot]

    def _guidance_of(self, request: Open) -> float:
        """The nearest of the values that the model knows."""
        wish = _control(request, GUIDANCE)
        return min(self._guidance, key=lambda value: abs(value - wish))

    def _add_text(self, slot: int, text: str) -> None:
        speech = self._streams[slot]
        if text and speech.utterance.is_over:
            speech.utterance, speech.began = Utterance(self._model), speech.produced
            self._batch.rewind(slot)
        speech.utterance.add(text)

    def _choose_slots(self, ready: Collection[int]) -> Collection[int]:
        silent = [slot for slot in ready if self._streams[slot].utterance.is_silent]
        can_wait = all(self._streams[slot].is_ahead for slot in ready if slot not in silent)
        if silent and (can_wait or self._silent_steps < SILENT_STEPS_IN_A_ROW):
            self._silent_steps += 1
            return silent
        self._silent_steps = 0
        return ready

    def _advance(self, slots: Collection[int]) -> dict[int, Frame]:
        utterances = {slot: self._streams[slot].utterance for slot in slots}
        speaking = {slot for slot, utterance in utterances.items() if not utterance.is_silent}
        heard = [slot for slot, utterance in utterances.items() if utterance.gives_frame]
        frames = self._batch.step(slots, speaking, heard, lambda slot, token: utterances[slot].add_token(token))
        for utterance in utterances.values():
            utterance.count_step()
        return {slot: frame for slot, frame in frames.items() if not utterances[slot].is_lead_in}

    def _output(self, slot: int, frame: Frame | None, has_work: bool) -> list[Event]:
        speech = self._streams[slot]
        if speech.rejection:
            return [Rejected(speech.rejection)]
        events: list[Event] = [speech.word(word) for word in speech.utterance.spoken()]
        if frame is not None:
            events.append(Audio(np.round(frame * 32767).astype("<i2").tobytes()))
            speech.count_audio()
        if events or has_work:
            events.append(Step(speech.produced, speech.produced, 1.0 if frame is not None else 0.0))
        return events


def _control(request: Open, control: Control) -> float:
    return min(max(request.controls.get(control.name, control.default), control.minimum), control.maximum)
