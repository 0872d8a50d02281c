"""Kyutai's speech-to-text models: all streams in one batch, each with the same results as if it were alone.

`model` steps the networks and `stream_decoder` turns their output for one stream into words and segments; this module
maps slots to streams and rows. When memory runs out, the newest streams lose their slots; the others lose nothing.
"""

import logging
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from msgspec.structs import replace

from inference.engine import Frame
from inference.engines.eviction import run_evicting
from inference.engines.stt.moshi_stt.model import Model, StepResult
from inference.engines.stt.moshi_stt.silero_vad import VoiceActivity
from inference.engines.stt.moshi_stt.stream_decoder import DecoderConfig, StreamDecoder
from inference.loading.checkpoints import Checkpoint, with_model_values
from inference.loading.device import DoesNotFit, Plan, find_device, plan
from inference.loading.huggingface import CheckpointError, ReportProgress
from inference.loading.presets import Preset
from inference.messages import FRAME_SAMPLES, SAMPLE_RATE, Endpointing, Event, Open, SlotLimits

logger = logging.getLogger(__name__)

FAST_STEP = 0.02
"""Maximum seconds per step for bursts of silence to pay off; with slower steps the last words arrive as soon anyway."""

REFRESH_AT = 0.6
"""Share of the model's context from which on a pause is used to restart it: the 1B is known to stop writing for half a
minute and more, and less so with a short past."""

FRAME_SECONDS = FRAME_SAMPLES / SAMPLE_RATE

_SILENCE = np.zeros(FRAME_SAMPLES, np.float32)


class MoshiStt:
    def __init__(self, slots: int, preset: Preset, report_progress: ReportProgress = logger.info) -> None:
        """Load the model and warm it up. Raises `CheckpointError` and `DoesNotFit`.

        `slots`: 0 for as many as the device can run. `report_progress` receives status texts meanwhile.
        """
        preset = with_model_values(preset, report_progress)
        intended = plan(preset, find_device(preset.device), slots)
        self.slots = intended.slots_to_measure
        self.slot_limits: SlotLimits | None = None
        self.draining: set[int] = set()
        """Slots whose next steps process silence that flushes the last words; `step` gets no frames for them."""
        self._endpointing = preset.endpointing or Endpointing()
        self._turn_endpointing = replace(self._endpointing, pause=preset.turn_pause)
        self._row_of: dict[int, int] = {}  # by slot
        self._slot_of: list[int] = []  # by row; the rows in use are the first ones
        self._decoders: dict[int, StreamDecoder] = {}  # by slot, the newest last
        try:
            self._load(preset, Checkpoint.obtain(preset, report_progress), intended, report_progress)
        except torch.OutOfMemoryError as error:
            raise DoesNotFit(
                f"{preset.label} with {self.slots} slots ran out of memory on {intended.device.name} while "
                f"loading: {error}. Use fewer slots or free memory."
            ) from error

    def _load(self, preset: Preset, checkpoint: Checkpoint, intended: Plan, report_progress: ReportProgress) -> None:
        report_progress(f"loading {checkpoint.origin} on {intended}")
        device = intended.device.torch_name
        silence = round(preset.silence_prefix * SAMPLE_RATE / FRAME_SAMPLES)
        try:
            self._model = Model(
                checkpoint.mimi(device),
                checkpoint.lm(intended.load_device, intended.torch_dtype),
                self.slots,
                silence=silence,
                temperature=preset.temperature,
                int8=intended.dtype == "int8",
            )
        except ValueError as error:
            raise CheckpointError(f"{checkpoint.origin} isn't a speech-to-text model: {error}.") from error
        if intended.is_automatic:
            report_progress("measuring steps")
            self._model.keep_real_time_slots()
            self.slots = self._model.slots
            self.slot_limits = SlotLimits(intended.memory_slots, self.slots)
            logger.info("%s: %s", preset.name, self.slot_limits)
        report_progress("warming up")
        self._model.warm_up()
        tokenizer = checkpoint.tokenizer()
        self._decoder_config = DecoderConfig(
            delay=preset.delay,
            lead=silence,
            flushes_on_pause=self._model.step_seconds < FAST_STEP,
            predicts_pauses=self._model.heads > 0,
            decode=tokenizer.decode,
            id_to_piece=tokenizer.id_to_piece,
        )
        if self._model.step_seconds > FRAME_SECONDS:
            logger.warning(
                "a step takes %.0f ms, longer than an 80 ms frame: transcripts will lag. Use fewer slots, a faster "
                "device or another engine.",
                1000 * self._model.step_seconds,
                extra={"error_class": "performance"},
            )
        self._vad = self._voice_activity(checkpoint.origin)
        self._vad_thread = ThreadPoolExecutor(1, "vad")

    def _voice_activity(self, origin: str) -> VoiceActivity | None:
        try:
            vad = VoiceActivity(self.slots)
        except ModuleNotFoundError:
            if not self._model.heads:
                raise
            logger.warning(
                "the package silero-vad isn't installed, so voice activity is what %s predicts; that it has stopped "
                "writing goes unnoticed",
                origin,
            )
            return None
        if not self._model.heads:
            logger.warning("%s has no pause-prediction heads; using Silero VAD instead", origin)
        return vad

    def open(self, slot: int, request: Open) -> None:
        row = len(self._slot_of)
        self._slot_of.append(slot)
        self._row_of[slot] = row
        self._model.reset_row(row)
        default = self._turn_endpointing if request.awaits_turns else self._endpointing
        self._decoders[slot] = StreamDecoder(self._decoder_config, request.position, request.endpointing or default)
        if self._vad:
            self._vad.open(slot)

    def step(self, inputs: Mapping[int, Frame]) -> dict[int, list[Event]]:
        frames = {**inputs, **dict.fromkeys(self.draining, _SILENCE)}
        detection = self._vad_thread.submit(self._vad.process, inputs) if self._vad else None
        results, closed = run_evicting(lambda: self._step_model(frames), self._decoders, self.close)
        if detection:
            detection.result()
        output = {slot: self._decode(slot, result) for slot, result in results.items()}
        return output | closed

    def flush(self, slot: int) -> list[Event]:
        """Start flushing: the words come with the next steps, while the slot is in `draining`."""
        if self._decoders[slot].flush_words():
            self.draining.add(slot)
        return []

    def close(self, slot: int) -> None:
        if slot not in self._row_of:
            return  # it was evicted
        row, last = self._row_of.pop(slot), len(self._slot_of) - 1
        if row != last:
            self._model.move(last, row)
            self._slot_of[row] = self._slot_of[last]
            self._row_of[self._slot_of[row]] = row
        self._slot_of.pop()
        self.draining.discard(slot)
        del self._decoders[slot]

    def _decode(self, slot: int, result: StepResult) -> list[Event]:
        decoder, row = self._decoders[slot], self._row_of[slot]
        pauses = result.pauses or (self._vad.pauses(slot) if self._vad else [])
        speech = self._vad.speech(slot) if self._vad else 1 - pauses[0]
        events = decoder.process(result.token, result.confidence, pauses, speech)
        (self.draining.add if decoder.needs_silence else self.draining.discard)(slot)
        if self._model.used_context(row) > REFRESH_AT and decoder.may_restart:
            self._model.reset_row(row)
            decoder.restart()
        return events

    def _step_model(self, frames: Mapping[int, Frame]) -> dict[int, StepResult]:
        """Step the model; return the results by slot. It can be repeated when it raises `torch.OutOfMemoryError`."""
        rows = {self._row_of[slot]: frame for slot, frame in frames.items() if slot in self._row_of}
        try:
            results = self._model.step(rows, len(self._slot_of))
        except torch.OutOfMemoryError:
            self._model.recover(rows)
            raise
        return {self._slot_of[row]: result for row, result in results.items()}
