"""Kyutai's speech-to-text models: all streams in one batch, each exactly as if it were alone.

`model` steps the networks, and `hearing` makes words and utterances of what comes out for one stream; this puts slots,
streams and rows together. When memory runs out the newest streams lose their slots, and no other loses anything.
"""

import logging
from collections.abc import Mapping
from math import ceil

import numpy as np
import torch

from inference.engine import Frame
from inference.engines.stt.moshi_stt.model import Model, StepResult
from inference.engines.stt.moshi_stt.silero_vad import VoiceActivity
from inference.engines.stt.moshi_stt.stream_decoder import DecoderConfig, StreamDecoder
from inference.loading.checkpoints import Checkpoint
from inference.loading.device import DoesNotFit, Plan, find_device, plan
from inference.loading.huggingface import CheckpointError, ReportProgress
from inference.loading.presets import Preset
from inference.messages import FRAME_SAMPLES, SAMPLE_RATE, Closed, Endpointing, Event, Open

logger = logging.getLogger(__name__)

EVICTED_SHARE = 0.25
"""The share of the streams that lose their slots when memory runs out."""
FAST_STEP = 0.02
"""Seconds that a step may take for bursts of silence to be worth it: else the last words come as soon by themselves."""

FRAME_SECONDS = FRAME_SAMPLES / SAMPLE_RATE

_SILENCE = np.zeros(FRAME_SAMPLES, np.float32)


class MoshiStt:
    def __init__(self, slots: int, preset: Preset, tell: ReportProgress = logger.info) -> None:
        """Loads the model and takes its first steps. Raises `CheckpointError` and `DoesNotFit`.

        `slots`: 0 for as many as the device carries. `tell` is called with what is going on meanwhile.
        """
        intended = plan(preset, find_device(preset.device), slots)
        self.slots = intended.slots
        self.draining: set[int] = set()
        self._endpointing = preset.endpointing or Endpointing()
        self._row_of: dict[int, int] = {}  # of a slot
        self._slot_of: list[int] = []  # of a row; the rows in use are the first ones
        self._decoders: dict[int, StreamDecoder] = {}  # of a slot, the newest last
        try:
            self._load(preset, Checkpoint.obtain(preset, tell), intended, tell)
        except torch.OutOfMemoryError as error:
            raise DoesNotFit(
                f"{preset.label} with {self.slots} slots ran out of memory on {intended.device.name} while it was "
                f"loaded: {error}. Give it fewer slots, or free memory there."
            ) from error

    def _load(self, preset: Preset, checkpoint: Checkpoint, intended: Plan, tell: ReportProgress) -> None:
        tell(f"loading {checkpoint.origin} on {intended}")
        device = intended.device.torch_name
        silence = round(preset.silence_prefix * SAMPLE_RATE / FRAME_SAMPLES)
        try:
            self._model = Model(
                checkpoint.mimi(device),
                checkpoint.lm(device, intended.torch_dtype),
                self.slots,
                silence=silence,
                temperature=preset.temperature,
                int8=intended.dtype == "int8",
            )
        except ValueError as error:
            raise CheckpointError(f"{checkpoint.origin} cannot be used for speech to text: {error}.") from error
        tell("warming up")
        self._model.warm_up()
        tokenizer = checkpoint.tokenizer()
        self._decoder_config = DecoderConfig(
            delay=preset.delay,
            lead=silence,
            flushes_on_pause=self._model.step_seconds < FAST_STEP,
            predicts_pauses=self._model.heads > 0,
            decode=tokenizer.decode,
            piece=tokenizer.id_to_piece,
        )
        if self._model.step_seconds > FRAME_SECONDS:
            logger.warning(
                "a step takes %.0f ms, and a frame lasts 80: words will fall behind. Give it fewer slots, a faster "
                "device, or run another engine.",
                1000 * self._model.step_seconds,
            )
        self._vad = None if self._model.heads else VoiceActivity()
        if self._vad:
            logger.warning(
                "%s has no heads that predict pauses: Silero's detector, which only measures them, stands in",
                checkpoint.origin,
            )

    def open(self, slot: int, request: Open) -> None:
        row = len(self._slot_of)
        self._slot_of.append(slot)
        self._row_of[slot] = row
        self._model.begin(row)
        self._decoders[slot] = StreamDecoder(
            self._decoder_config, request.position, request.endpointing or self._endpointing
        )
        if self._vad:
            self._vad.begin(slot)

    def step(self, inputs: Mapping[int, Frame]) -> dict[int, list[Event]]:
        frames = {**inputs, **dict.fromkeys(self.draining, _SILENCE)}
        heard, shed = self._step_model(frames)
        if self._vad:
            self._vad.process({slot: frame for slot, frame in inputs.items() if slot in heard})
        told = {slot: self._decode(slot, each) for slot, each in heard.items()}
        full: list[Event] = [Closed("the memory of the engine is full")]
        return told | dict.fromkeys(shed, full)

    def flush(self, slot: int) -> list[Event]:
        """The words come with the next steps, while the slot is `busy`."""
        if self._decoders[slot].flush_words():
            self.draining.add(slot)
        return []

    def close(self, slot: int) -> None:
        if slot not in self._row_of:
            return  # it was shed
        hole, last = self._row_of.pop(slot), len(self._slot_of) - 1
        if hole != last:
            self._model.move(last, hole)
            self._slot_of[hole] = self._slot_of[last]
            self._row_of[self._slot_of[hole]] = hole
        self._slot_of.pop()
        self.draining.discard(slot)
        del self._decoders[slot]

    def _decode(self, slot: int, heard: StepResult) -> list[Event]:
        hearing = self._decoders[slot]
        if self._vad:
            speech, pauses = self._vad.speech(slot), self._vad.pauses(slot)
        else:
            speech, pauses = 1 - heard.pauses[0], heard.pauses
        events = hearing.process(heard.token, heard.confidence, pauses, speech)
        (self.draining.add if hearing.wants_silence else self.draining.discard)(slot)
        return events

    def _step_model(self, frames: dict[int, Frame]) -> tuple[dict[int, StepResult], list[int]]:
        """What was heard, by slot, and the slots of those for whom there was no memory."""
        shed: list[int] = []
        while frames:
            rows = {self._row_of[slot]: frame for slot, frame in frames.items()}
            try:
                heard = self._model.step(rows, len(self._slot_of))
                return {self._slot_of[row]: each for row, each in heard.items()}, shed
            except torch.OutOfMemoryError as error:
                self._model.recover(rows)
                torch.cuda.empty_cache()
                newest = list(self._decoders)[-ceil(EVICTED_SHARE * len(self._decoders)) :]
                logger.error("out of memory, %d of %d streams go: %s", len(newest), len(self._decoders), error)
                for slot in newest:
                    self.close(slot)
                    frames.pop(slot, None)
                shed += newest
        return {}, shed
