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
from inference.messages import FRAME_SAMPLES, SAMPLE_RATE, Audio, Control, Event, Open, Refused, Step, Word

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
        self.refused = ""
        self.utterance = utterance
        self.made = self.began = request.position  # samples of the session; where the utterance began
        self._listened: tuple[float, int] | None = None  # since when its listener hears it, and from which sample

    def note_audio(self) -> None:
        self._listened = self._listened or (time.monotonic(), self.made)
        self.made += FRAME_SAMPLES

    @property
    def is_ahead(self) -> bool:
        if self._listened is None:
            return False
        since, first = self._listened
        return (self.made - first) / SAMPLE_RATE - (time.monotonic() - since) > AHEAD

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
        self._speeches: dict[int, _Speech] = {}
        self._silent_steps = 0

        @lru_cache(VOICES_KEPT)
        def conditions(voice: str, cfg: float) -> Conditions:
            return self._batch.conditions(voices.attributes(voice, cfg))

        self._conditions = conditions

    def open(self, slot: int, request: Open) -> None:
        speech = self._speeches[slot] = _Speech(request, Utterance(self._model))
        try:
            conditions = self._conditions(request.voice or self.voices[0].name, self._guidance_of(request))
        except VoiceError as error:
            speech.refused = str(error)
            return
        seed = int(_wish(request, SEED)) or secrets.randbits(31)
        self._batch.begin(slot, conditions, seed, _wish(request, TEMPERATURE))

    def step(self, inputs: Mapping[int, str]) -> dict[int, list[Event]]:
        for slot, text in inputs.items():
            self._hear(slot, text)
        ready = [slot for slot in inputs if self._speeches[slot].utterance.can_step]
        turn = self._whose_turn(ready)
        frames = self._advance(turn) if turn else {}
        told = {slot: self._tell(slot, frames.get(slot), slot in ready) for slot in inputs}
        return {slot: events for slot, events in told.items() if events}

    def flush(self, slot: int) -> list[Event]:
        self._speeches[slot].utterance.finish()
        return []

    def close(self, slot: int) -> None:
        del self._speeches[slot]

    def _guidance_of(self, request: Open) -> float:
        """The nearest of the values that the model knows."""
        wish = _wish(request, GUIDANCE)
        return min(self._guidance, key=lambda value: abs(value - wish))

    def _hear(self, slot: int, text: str) -> None:
        speech = self._speeches[slot]
        if text and speech.utterance.is_over:
            speech.utterance, speech.began = Utterance(self._model), speech.made
            self._batch.rewind(slot)
        speech.utterance.add(text)

    def _whose_turn(self, ready: Collection[int]) -> Collection[int]:
        silent = [slot for slot in ready if self._speeches[slot].utterance.is_silent]
        can_wait = all(self._speeches[slot].is_ahead for slot in ready if slot not in silent)
        if silent and (can_wait or self._silent_steps < SILENT_STEPS_IN_A_ROW):
            self._silent_steps += 1
            return silent
        self._silent_steps = 0
        return ready

    def _advance(self, slots: Collection[int]) -> dict[int, Frame]:
        utterances = {slot: self._speeches[slot].utterance for slot in slots}
        speaking = {slot for slot, utterance in utterances.items() if not utterance.is_silent}
        heard = [slot for slot, utterance in utterances.items() if utterance.gives_frame]
        frames = self._batch.step(slots, speaking, heard, lambda slot, token: utterances[slot].take(token))
        for utterance in utterances.values():
            utterance.count_step()
        return {slot: frame for slot, frame in frames.items() if not utterances[slot].is_lead_in}

    def _tell(self, slot: int, frame: Frame | None, has_work: bool) -> list[Event]:
        speech = self._speeches[slot]
        if speech.refused:
            return [Refused(speech.refused)]
        events: list[Event] = [speech.word(word) for word in speech.utterance.spoken()]
        if frame is not None:
            events.append(Audio(np.round(frame * 32767).astype("<i2").tobytes()))
            speech.note_audio()
        if events or has_work:
            events.append(Step(speech.made, speech.made, 1.0 if frame is not None else 0.0))
        return events


def _wish(request: Open, control: Control) -> float:
    return min(max(request.controls.get(control.name, control.default), control.least), control.most)
