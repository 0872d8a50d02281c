"""The text-to-speech model with a batch of slots, in which every stream has its own voice, seed and pace.

The batch size is constant: a slot's result does not depend on the other slots, and CUDA graphs stay valid. A slot that
takes no part in a step keeps its state.
"""

import logging
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from moshi.conditioners import ConditionAttributes
from moshi.models import LMGen
from moshi.models.tts import TTSModel
from moshi.modules.transformer import StreamingMultiheadAttention

from inference.engine import Frame
from inference.engines.tts.moshi_tts.sampling import TOP_K, TOP_K_TEXT, SlotSampler
from inference.engines.tts.moshi_tts.snapshot import Snapshot
from inference.loading.step_time import median_seconds

logger = logging.getLogger(__name__)

OnText = Callable[[int, int], int]
"""Maps a slot and the text token that the model returned for it to the slot's text input of the next step."""

DECODER = ("decoder", "decoder_transformer", "upsample")
"""The parts of Mimi that a step uses."""
WARM_UP_STEPS = 3
"""Steps at the start; the second captures the CUDA graphs, and later ones run at full speed."""


@dataclass(frozen=True)
class Conditions:
    """Conditioning of the model: `total` [1, 1, dim] is added, `cross` [1, keys, dim] is attended to."""

    total: torch.Tensor
    cross: torch.Tensor


class Batch:
    def __init__(self, model: TTSModel, slots: int, initial: ConditionAttributes) -> None:
        """`initial` is any voice; a slot keeps it until it is opened."""
        self.slots = slots
        self._model = model
        self._device = model.lm.device
        model.lm.dep_q = model.n_q  # otherwise the depformer computes all 32 codebooks
        self._delays = torch.tensor(model.lm.delays[1 : 1 + model.n_q], device=self._device)
        self._sampler = SlotSampler(slots, model.n_q, model.lm.card, model.lm.text_linear.out_features, self._device)
        self._no_input = self._zeros(codebooks=model.lm.n_q - model.n_q)
        self._no_audio = self._zeros(codebooks=model.n_q)
        self._on_text_token: OnText = lambda slot, token: token
        self._running: Collection[int] = ()
        with torch.no_grad():
            self._start(initial)
            self._snapshot = Snapshot(self._stepped_states())
            self._warm_up()
        self.step_seconds = self._measure_step()
        """Of a step with audio."""

    def conditions(self, attributes: ConditionAttributes) -> Conditions:
        lm: Any = self._model.lm
        with torch.no_grad():
            tensors = lm.condition_provider.prepare_and_provide([attributes])
            return Conditions(lm.fuser.get_sum(tensors).to(lm.dtype), lm.fuser.get_cross(tensors).to(lm.dtype))

    def open(self, slot: int, conditions: Conditions, seed: int, temperature: float) -> None:
        """Reset the slot, and set its voice."""
        self.rewind(slot)
        self._sampler.reset(slot, seed, temperature)
        with torch.no_grad():
            self._gen_state.condition_sum[slot] = conditions.total[0]
            for state, keys, values in self._cross(conditions):
                state.k_cross[slot], state.v_cross[slot] = keys[0], values[0]

    def rewind(self, slot: int) -> None:
        """Reset the slot to the beginning, in the same voice.

        The package's reset only masks keys and values; a NaN among them would propagate in spite of the mask.
        """
        mask = self._mask([slot])
        self._gen.reset_streaming(mask)
        self._model.mimi.reset_streaming(mask)
        for state in self._states():
            if (cache := getattr(state, "kv_cache", None)) is not None:
                cache.cache[:, slot] = 0

    def step(
        self, slots: Collection[int], speaking: Collection[int], audible: Collection[int], on_text: OnText
    ) -> dict[int, Frame]:
        """Run one step of `slots`. The speech of those in `speaking` has begun; if there are none, it costs half.

        Returns a frame for each slot in `audible`, whose speech began at least `max_delay` steps ago. When it raises
        `torch.OutOfMemoryError`, the state is that before the step: it can be repeated, also with fewer slots.
        """
        self._running, self._on_text_token = slots, on_text
        offsets = self._gen_state.offsets
        self._snapshot.take()
        try:
            self._gen.set_exec_mask(self._mask(slots))
            with torch.no_grad(), self._sampler.drawing(slots, speaking):
                tokens = self._gen.step(self._no_input, None if speaking else self._no_audio)
                return self._decode(tokens[:, 1:], audible) if audible else {}
        except torch.OutOfMemoryError:
            self._snapshot.restore()
            self._gen_state.offsets = offsets  # the package replaces this tensor
            raise

    def stop(self) -> None:
        """Free the memory of the slots. The model can have another batch then."""
        for module in (self._gen, self._model.lm, self._model.mimi):
            module._stop_streaming()
        del self._gen, self._snapshot  # they and this object refer to each other

    # --- Hooks that the package calls during a step ---------------------------------------------------------------

    def _on_text(self, tokens: torch.Tensor) -> None:
        """Replace the model's output, int64[slots], by its next input, in place."""
        values = tokens.tolist()
        for slot in self._running:
            values[slot] = self._on_text_token(slot, values[slot])
        tokens.copy_(torch.tensor(values))

    def _on_audio(self, tokens: torch.Tensor) -> None:
        """Zero tokens, int64[slots, codebooks], until a slot's speech begins; each codebook has its delay."""
        begins = self._delays + self._model.delay_steps
        tokens.masked_fill_(self._gen_state.offsets[:, None] < begins, self._model.machine.token_ids.zero)

    def _decode(self, codes: torch.Tensor, slots: Collection[int]) -> dict[int, Frame]:
        self._model.mimi.set_exec_mask(self._mask(slots))
        # Slots without audio have codes below zero, outside every codebook: on a GPU they would abort the process.
        pcm = self._model.mimi.decode(codes.clamp(min=0))[:, 0].float().cpu().numpy()
        return {slot: self._clean(slot, pcm[slot]) for slot in slots}

    def _clean(self, slot: int, pcm: Frame) -> Frame:
        if not np.isfinite(pcm).all():
            logger.warning("slot %d: the model returned NaN; replaced with silence", slot)
            pcm = np.nan_to_num(pcm, nan=0.0, posinf=0.0, neginf=0.0)
        return np.clip(pcm, -1, 1)

    def _start(self, initial: ConditionAttributes) -> None:
        lm: Any = self._model.lm
        self._gen = LMGen(
            lm,
            top_k=TOP_K,
            top_k_text=TOP_K_TEXT,
            condition_tensors=lm.condition_provider.prepare_and_provide([initial]),
            on_text_hook=self._on_text,
            on_audio_hook=self._on_audio,
            support_out_of_sync=True,
        )
        self._gen.streaming_forever(self.slots)
        self._model.mimi.streaming_forever(self.slots)
        conditions = self.conditions(initial)
        state = self._gen_state
        state.condition_sum = conditions.total.repeat(self.slots, 1, 1)
        state.condition_cross = torch.zeros_like(state.condition_sum)  # unused: its keys and values are set below
        for state, keys, values in self._cross(conditions):
            # Contiguous, unlike the package's: attention is then twice as fast.
            state.k_cross = keys.repeat(self.slots, 1, 1, 1).contiguous()
            state.v_cross = values.repeat(self.slots, 1, 1, 1).contiguous()

    def _warm_up(self) -> None:
        none, every = range(0), range(self.slots)
        for speaking in (none, every):
            for _ in range(WARM_UP_STEPS):
                self.step(every, speaking, every, lambda slot, token: 0)

    def _measure_step(self) -> float:
        every = range(self.slots)
        for slot in every:
            self._sampler.reset(slot, seed=0, temperature=1.0)
        seconds = median_seconds(lambda: self.step(every, every, every, lambda slot, token: 0), warm_up=0)
        for slot in every:
            self.rewind(slot)
        return seconds

    def _stepped_states(self) -> Iterator[Any]:
        yield from self._model.lm.get_streaming_state().values()
        for name, state in self._model.mimi.get_streaming_state().items():
            if name.split(".")[0] in DECODER:
                yield state

    def _states(self) -> Iterator[Any]:
        for module in (self._model.lm, self._model.mimi):
            yield from module.get_streaming_state().values()

    @property
    def _gen_state(self) -> Any:
        return self._gen._streaming_state

    def _cross(self, conditions: Conditions) -> Iterator[tuple[Any, torch.Tensor, torch.Tensor]]:
        """The state of each layer's cross-attention, and its keys and values."""
        for module in self._model.lm.modules():
            if isinstance(module, StreamingMultiheadAttention) and module.cross_attention:
                yield module._streaming_state, *module._compute_cross_attention(conditions.cross, conditions.cross)

    def _mask(self, slots: Collection[int]) -> torch.Tensor:
        mask = torch.zeros(self.slots, dtype=torch.bool)
        mask[list(slots)] = True
        return mask.to(self._device)

    def _zeros(self, codebooks: int) -> torch.Tensor:
        """Tokens whose embedding is zero."""
        zero = self._model.machine.token_ids.zero
        return torch.full((self.slots, codebooks, 1), zero, device=self._device)
