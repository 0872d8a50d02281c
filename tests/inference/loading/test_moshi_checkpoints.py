"""The small checkpoints of the engines' tests: moshi itself loads and runs them."""

from pathlib import Path

import pytest
import torch
from huggingface_hub import constants
from moshi.models import LMGen, loaders
from moshi.models.tts import TTSModel

from tests.support.models.checkpoints import VOICES, checkpoint_info, put_into_hub_cache

pytestmark = pytest.mark.models


def transcribe(folder: Path, seed: int, frames: int = 30) -> tuple[list[int], int]:
    """The text tokens for noise, and the number of pause-prediction heads."""
    info = checkpoint_info(folder)
    mimi, lm = info.get_mimi(), info.get_moshi(dtype=torch.float32)
    gen = LMGen(lm, use_sampling=False)
    noise = torch.randn(frames, 1, 1, 1920, generator=torch.Generator().manual_seed(seed)) / 3
    with torch.no_grad(), mimi.streaming(1), gen.streaming(1):
        steps = [gen.step_with_extra_heads(mimi.encode(frame)) for frame in noise]
    return [int(frame[0, 0, 0]) for frame, _ in steps[1:]], len(steps[-1][1])


def synthesize(folder: Path, voice: str) -> list[list[int]]:
    model = TTSModel.from_checkpoint_info(checkpoint_info(folder), n_q=4, temp=0, dtype=torch.float32)
    attributes = model.make_condition_attributes([folder / "voices" / (voice + model.voice_suffix)], cfg_coef=2.0)
    result = model.generate([model.prepare_script(["hello world"])], [attributes])
    return [frame[0, :, 0].tolist() for frame in result.frames]


def test_the_text_depends_on_the_audio(stt_checkpoint: Path) -> None:
    (one, heads), (other, _) = transcribe(stt_checkpoint, seed=1), transcribe(stt_checkpoint, seed=2)
    assert one != other
    assert {0, 3} < set(one)  # pauses and word starts
    assert heads == 4


def test_a_checkpoint_can_lack_heads(stt_checkpoint_without_heads: Path) -> None:
    assert transcribe(stt_checkpoint_without_heads, seed=1)[1] == 0


def test_the_audio_depends_on_the_voice(tts_checkpoint: Path) -> None:
    alba, bruno = (synthesize(tts_checkpoint, voice) for voice in VOICES[:2])
    assert alba != bruno


def test_unknown_characters_are_tokenized_as_bytes(stt_checkpoint: Path) -> None:
    tokenizer = checkpoint_info(stt_checkpoint).get_text_tokenizer()
    tokens = tokenizer.encode("naïve 💡", out_type=str)
    assert tokens[-4:] == ["<0xF0>", "<0x9F>", "<0x92>", "<0xA1>"]
    assert tokenizer.decode(tokenizer.encode("naïve 💡")) == "naïve 💡"


def test_the_hub_cache_works_offline(stt_checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    put_into_hub_cache(stt_checkpoint, tmp_path, "kyutai/tiny")
    info = loaders.CheckpointInfo.from_hf_repo("kyutai/tiny")
    assert info.moshi_weights.resolve() == (stt_checkpoint / "model.safetensors").resolve()
    assert info.get_moshi(dtype=torch.float32).extra_heads[0].weight.shape == (6, 64)
