"""Text-to-speech models with random weights, of any size; they are as fast as trained ones."""

from copy import deepcopy
from pathlib import Path
from typing import Any

import torch
from moshi.models import loaders
from moshi.models.tts import StateMachine, TokenIds, TTSModel
from safetensors.torch import save_file
from torch import nn

from inference.engines.tts.moshi_tts import MoshiTts
from inference.engines.tts.moshi_tts.voices import Voices
from tests.support.models import checkpoints

FULL: dict[str, Any] = {
    **checkpoints.TTS,
    "card": 2048,
    "text_card": 8000,
    "dim": 2048,
    "num_heads": 16,
    "num_layers": 16,
    "context": 500,
    "depformer_dim": 1024,
    "depformer_num_heads": 16,
    "depformer_num_layers": 4,
    "depformer_dim_feedforward": 3072,
    "depformer_low_rank_embeddings": 128,
}
"""tts-1.6b-en_fr: 1.84 billion parameters, of which 0.57 make audio tokens (its published configuration)."""
FULL["conditioners"] = deepcopy(checkpoints.TTS["conditioners"])
FULL["conditioners"]["speaker_wavs"]["tensor"]["dim"] = 512
FULL["conditioners"]["control"]["lut"]["dim"] = 2048
FULL_VOICE = (1, 512, 125)


def small(folder: Path, n_q: int) -> TTSModel:
    """The model of the tests, 2 MB."""
    if not (folder / "config.json").exists():
        checkpoints.build_tts(folder)
    return TTSModel.from_checkpoint_info(checkpoints.checkpoint_info(folder), n_q=n_q, dtype=torch.float32)


def full(n_q: int, device: str, dtype: torch.dtype, folder: Path) -> TTSModel:
    """A model with the shape of tts-1.6b-en_fr; `folder` gets a tokenizer and a voice."""
    shape = {key: value for key, value in deepcopy(FULL).items() if key not in checkpoints.USAGE_KEYS}
    lm = loaders.get_moshi_lm(None, shape, device="meta", dtype=dtype).to_empty(device=device)
    mimi = loaders.get_mimi(None, device="meta", num_codebooks=n_q).to_empty(device=device)
    for model in (lm, mimi):
        _fill(model.eval())
    tokenizer = folder / "tokenizer.model"
    checkpoints.write_tokenizer(tokenizer)
    voice = folder / f"random.{checkpoints.SIGNATURE}@{checkpoints.EPOCH}.safetensors"
    save_file({"speaker_wavs": torch.randn(FULL_VOICE)}, voice)
    info = loaders.CheckpointInfo(voice, voice, tokenizer)
    return TTSModel(
        lm=lm,
        mimi=mimi,
        tokenizer=info.get_text_tokenizer(),
        voice_suffix=voice.name.removeprefix("random"),
        voice_repo="",
        machine=StateMachine(TokenIds(lm.text_card + 1), second_stream_ahead=2, max_padding=8, initial_padding=2),
        delay_steps=16,
        n_q=n_q,
    )


def engine_of(model: TTSModel, voices: Path, slots: int) -> MoshiTts:
    return MoshiTts(model, Voices(model, voices, {"en": "English"}), slots)


def _fill(model: nn.Module) -> None:
    """Fill all weights with small numbers; they do not affect the speed, but NaNs would break the output."""
    with torch.no_grad():
        for tensor in (*model.parameters(), *model.buffers()):
            if tensor.is_floating_point():
                tensor.uniform_(-0.02, 0.02)
    for module in model.modules():
        if type(module).__name__ == "EuclideanCodebook":
            module.cluster_usage.fill_(1)
            module._initialized.fill_(1)
        if isinstance(module, nn.LayerNorm):
            module.weight.data.fill_(1)
