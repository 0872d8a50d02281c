"""The text-to-speech model with a batch of slots, in which every stream has a voice, a seed and a pace of its own.

The batch never changes its size: what a slot computes does not depend on who has the others, and CUDA graphs stay
valid. A slot that is not among those of a step keeps its state as it is.
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

logger = logging.getLogger(__name__)

OnText = Callable[[int, int], int]
"""A slot, and the text token that the model gave it: the one that it shall read in the next step."""

WARM_UP_STEPS = 3
"""The second captures the CUDA graphs; then nothing is slow any more."""


@dataclass(frozen=True)
class Conditions:
    """What the model is conditioned on: `total` [1, 1, dim] is added, `cross` [1, keys, dim] attended to."""

    total: torch.Tensor
    cross: torch.Tensor


class Batch:
    def __init__(self, model: TTSModel, slots: int, anybody: ConditionAttributes) -> None:
        """`anybody` is whatever voice, until others come."""
        self.slots = slots
        self._model = model
        self._device = model.lm.device
        model.lm.dep_q = model.n_q  # else the depformer computes all 32 codebooks, whatever was asked for
        self._delays = torch.tensor(model.lm.delays[1 : 1 + model.n_q], device=self._device)
        self._sampler = SlotSampler(slots, model.n_q, model.lm.card, model.lm.text_linear.out_features, self._device)
        self._no_input = self._zeros(codebooks=model.lm.n_q - model.n_q)
        self._no_audio = self._zeros(codebooks=model.n_q)
        self._take_text: OnText = lambda slot, token: token
        self._running: Collection[int] = ()
        with torch.no_grad():
            self._start(anybody)
            self._warm_up()

    def conditions(self, attributes: ConditionAttributes) -> Conditions:
        lm: Any = self._model.lm
        with torch.no_grad():
            tensors = lm.condition_provider.prepare_and_provide([attributes])
            return Conditions(lm.fuser.get_sum(tensors).to(lm.dtype), lm.fuser.get_cross(tensors).to(lm.dtype))

    def begin(self, slot: int, conditions: Conditions, seed: int, temperature: float) -> None:
        """Whatever the slot said before, and in whose voice, is forgotten."""
        self.rewind(slot)
        self._sampler.begin(slot, seed, temperature)
        with torch.no_grad():
            self._gen_state.condition_sum[slot] = conditions.total[0]
            for state, keys, values in self._cross(conditions):
                state.k_cross[slot], state.v_cross[slot] = keys[0], values[0]

    def rewind(self, slot: int) -> None:
        """To speak again from the beginning, in the same voice.

        The package's reset leaves keys and values, masked; a NaN among them would show in spite of that.
        """
        mask = self._mask([slot])
        self._gen.reset_streaming(mask)
        self._model.mimi.reset_streaming(mask)
        for state in self._states():
            if (cache := getattr(state, "kv_cache", None)) is not None:
                cache.cache[:, slot] = 0

    def step(
        self, slots: Collection[int], speaking: Collection[int], heard: Collection[int], take_text: OnText
    ) -> dict[int, Frame]:
        """One step of `slots`. Of those `speaking` among them the speech has begun; if none has, it costs half.

        Returns a frame for each that is `heard`: speech that began `max_delay` steps ago.
        """
        self._running, self._take_text = slots, take_text
        self._gen.set_exec_mask(self._mask(slots))
        with torch.no_grad(), self._sampler.drawing(slots, speaking):
            tokens = self._gen.step(self._no_input, None if speaking else self._no_audio)
            return self._decode(tokens[:, 1:], heard) if heard else {}

    # --- What the package calls during a step ---------------------------------------------------------------------

    def _on_text(self, tokens: torch.Tensor) -> None:
        """int64[slots]: what the model gave; afterwards what it shall read."""
        given = tokens.tolist()
        for slot in self._running:
            given[slot] = self._take_text(slot, given[slot])
        tokens.copy_(torch.tensor(given))

    def _on_audio(self, tokens: torch.Tensor) -> None:
        """int64[slots, codebooks]: before its speech begins, each codebook with its delay, a slot hears nothing."""
        begins = self._delays + self._model.delay_steps
        tokens.masked_fill_(self._gen_state.offsets[:, None] < begins, self._model.machine.token_ids.zero)

    # --- Audio ----------------------------------------------------------------------------------------------------

    def _decode(self, codes: torch.Tensor, slots: Collection[int]) -> dict[int, Frame]:
        self._model.mimi.set_exec_mask(self._mask(slots))
        # Slots without audio have codes below zero, which no codebook has: on a GPU they would end the process.
        pcm = self._model.mimi.decode(codes.clamp(min=0))[:, 0].float().cpu().numpy()
        return {slot: self._clean(slot, pcm[slot]) for slot in slots}

    def _clean(self, slot: int, pcm: Frame) -> Frame:
        if not np.isfinite(pcm).all():
            logger.warning("slot %d: the model gave numbers that are none; silence in their place", slot)
            pcm = np.nan_to_num(pcm, nan=0.0, posinf=0.0, neginf=0.0)
        return np.clip(pcm, -1, 1)

    # --- State ----------------------------------------------------------------------------------------------------

    def _start(self, anybody: ConditionAttributes) -> None:
        lm: Any = self._model.lm
        self._gen = LMGen(
            lm,
            top_k=TOP_K,
            top_k_text=TOP_K_TEXT,
            condition_tensors=lm.condition_provider.prepare_and_provide([anybody]),
            on_text_hook=self._on_text,
            on_audio_hook=self._on_audio,
            support_out_of_sync=True,
        )
        self._gen.streaming_forever(self.slots)
        self._model.mimi.streaming_forever(self.slots)
        conditions = self.conditions(anybody)
        state = self._gen_state
        state.condition_sum = conditions.total.repeat(self.slots, 1, 1)
        state.condition_cross = torch.zeros_like(state.condition_sum)  # not read: the keys made of it are there
        for state, keys, values in self._cross(conditions):
            # Contiguous, which as the package makes them they are not: attention to them is then twice as fast.
            state.k_cross = keys.repeat(self.slots, 1, 1, 1).contiguous()
            state.v_cross = values.repeat(self.slots, 1, 1, 1).contiguous()

    def _warm_up(self) -> None:
        nobody, everybody = range(0), range(self.slots)
        for speaking in (nobody, everybody):
            for _ in range(WARM_UP_STEPS):
                self.step(everybody, speaking, everybody, lambda slot, token: 0)
        for slot in everybody:
            self.rewind(slot)

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
        """Tokens that mean nothing: their embedding is zero."""
        zero = self._model.machine.token_ids.zero
        return torch.full((self.slots, codebooks, 1), zero, device=self._device)
