"""Small random checkpoints of Kyutai's models: real files, which moshi's own loader reads like the original ones.

The architecture and the names are those of stt-1b-en_fr, tts-1.6b-en_fr and moshi, the dimensions tiny: 2 to 4 MB and a
second or two for each. Their output is nonsense but reproducible, and they are complete: configuration, weights, Mimi,
a SentencePiece model with byte fallback, pause-prediction heads, voices.

Imports torch, so it is for `test_moshi_*.py` and for fixtures that skip without it (`tests/inference/conftest.py`).
"""

import io
import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import sentencepiece
import torch
from moshi.models import LMModel, MimiModel, loaders
from safetensors.torch import save_file

SEED = 3
"""Seed with which words have onsets and pauses between them, and the pace of speech depends on the voice."""

SIGNATURE, EPOCH = "tiny0000", 1
VOICES = ("alba", "stories/bruno", "chloé")
"""Names of the voices in the text-to-speech checkpoint, files of `FOLDER/voices`."""
VOICE_DIM, VOICE_FRAMES = 16, 25

USAGE_KEYS = (
    "moshi_name",
    "mimi_name",
    "mimi_config_name",
    "tokenizer_name",
    "model_type",
    "model_id",
    "lm_gen_config",
    "stt_config",
    "tts_config",
)
"""Keys of a config.json that describe the use of the model, not its architecture."""

MIMI: dict[str, Any] = {
    "sample_rate": 24_000,
    "channels": 1,
    "frame_rate": 12.5,
    "seanet": {**loaders._seanet_kwargs, "dimension": 32, "n_filters": 4},
    "quantizer": {"dimension": 16, "n_q": 32, "bins": 64, "input_dimension": 32, "output_dimension": 32},
    "transformer": {
        **loaders._transformer_kwargs,
        "d_model": 32,
        "num_heads": 2,
        "num_layers": 2,
        "context": 20,
        "dim_feedforward": 64,
        "input_dimension": 32,
        "output_dimensions": [32],
        "layer_scale": 0.5,
    },
}

LM: dict[str, Any] = {
    "card": 64,
    "dim": 64,
    "num_heads": 4,
    "num_layers": 2,
    "hidden_scale": 4.125,
    "context": 24,
    "max_period": 10_000,
    "causal": True,
    "layer_scale": None,
    "gating": "silu",
    "norm": "rms_norm_f32",
    "positional_embedding": "rope",
    "existing_text_padding_id": 3,
    "depformer_dim": 32,
    "depformer_num_heads": 2,
    "depformer_num_layers": 2,
    "depformer_dim_feedforward": 96,
    "depformer_multi_linear": True,
    "depformer_pos_emb": "none",
    "depformer_weights_per_step": True,
    "depformer_context": 8,
    "depformer_max_period": 10_000,
    "depformer_gating": "silu",
    "depformer_layer_scale": None,
}

STT: dict[str, Any] = {
    **LM,
    "n_q": 32,
    "dep_q": 0,
    "delays": [0] * 33,
    "fuser": None,
    "model_type": "stt",
    "stt_config": {"audio_delay_seconds": 0.5, "audio_silence_prefix_seconds": 0.0},
    "lm_gen_config": {"temp": 0.0, "temp_text": 0.0, "top_k": 250, "top_k_text": 50},
}

CFG_VALUES = ["1.0", "1.5", "2.0", "2.5", "3.0", "3.5", "4.0"]

TTS: dict[str, Any] = {
    **LM,
    "n_q": 32,
    "dep_q": 32,
    "delays": [0, 0] + [2] * 31,
    "demux_second_stream": True,
    "text_card_out": None,
    "cross_attention": True,
    "depformer_low_rank_embeddings": 16,
    "depformer_weights_per_step_schedule": [*range(8)] + [8] * 8 + [9] * 8 + [10] * 8,
    "conditioners": {
        "speaker_wavs": {"type": "tensor", "tensor": {"dim": VOICE_DIM}},
        "cfg": {
            "type": "lut",
            "lut": {"n_bins": len(CFG_VALUES), "dim": 16, "tokenizer": "noop", "possible_values": CFG_VALUES},
        },
        "control": {"type": "lut", "lut": {"n_bins": 1, "dim": 64, "tokenizer": "noop", "possible_values": ["ok"]}},
    },
    "fuser": {
        "cross_attention_pos_emb": True,
        "cross_attention_pos_emb_scale": 1,
        "sum": ["control", "cfg"],
        "prepend": [],
        "cross": ["speaker_wavs"],
    },
    "model_type": "tts",
    "model_id": {"sig": SIGNATURE, "epoch": EPOCH},
    "lm_gen_config": {"temp": 0.6, "text_temp": 0.6},
    "tts_config": {"audio_delay": 1.28, "second_stream_ahead": 2},
}

DIALOGUE: dict[str, Any] = {
    **LM,
    "n_q": 16,
    "dep_q": 8,
    "delays": [0, 0, 1, 1, 1, 1, 1, 1, 1, 0, 1, 1, 1, 1, 1, 1, 1],
    "model_type": "moshi",
    "lm_gen_config": {},
}

TEXTS = [
    "hello world this is a small test of the tokenizer",
    "the quick brown fox jumps over the lazy dog",
    "bonjour le monde ceci est un petit essai",
    "où est la bibliothèque déjà vu garçon naïve",
    "it's twenty-five dollars, isn't it?",
    "numbers 0 1 2 3 4 5 6 7 8 9 and punctuation . , ! ? ' - : ;",
]


def build_stt(folder: Path, heads: int = 4, **values: Any) -> Path:
    """Speech to text, with so many pause-prediction heads; the original models have 4 or, in one repository, none.
    `values` replace those of the configuration."""
    return _build(folder, {**STT, "extra_heads_num_heads": heads, "extra_heads_dim": 6, **values})


def build_tts(folder: Path) -> Path:
    """Text to speech, with the files of `VOICES` in `folder/voices`."""
    _build(folder, TTS)
    for seed, name in enumerate(VOICES):
        write_voice(folder / "voices", name, seed)
    return folder


def build_dialogue(folder: Path) -> Path:
    """Full-duplex speech to speech."""
    return _build(folder, DIALOGUE)


def checkpoint_info(folder: Path) -> loaders.CheckpointInfo:
    """Load a folder with moshi's loader, without network access."""
    return loaders.CheckpointInfo.from_hf_repo(
        "owner/unused",
        moshi_weights=folder / "model.safetensors",
        mimi_weights=folder / "mimi.safetensors",
        tokenizer=folder / "tokenizer.model",
        config_path=folder / "config.json",
        mimi_config_path=folder / "mimi_config.json",
    )


def put_into_hub_cache(folder: Path, cache: Path, repo: str, revision: str = "0" * 40) -> None:
    """Make huggingface_hub find a folder as a downloaded repository (HF_HUB_CACHE=cache, HF_HUB_OFFLINE=1)."""
    repository = cache / f"models--{repo.replace('/', '--')}"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text(revision)
    (repository / "snapshots").mkdir()
    (repository / "snapshots" / revision).symlink_to(folder, target_is_directory=True)


def write_voice(folder: Path, name: str, seed: int) -> Path:
    """Write a voice in the format of Kyutai's: `speaker_wavs`, float32[1, VOICE_DIM, VOICE_FRAMES]."""
    path = folder / f"{name}.{SIGNATURE}@{EPOCH}.safetensors"
    path.parent.mkdir(parents=True, exist_ok=True)
    embedding = torch.randn(1, VOICE_DIM, VOICE_FRAMES, generator=torch.Generator().manual_seed(seed))
    save_file({"speaker_wavs": embedding}, path, metadata={"sig": SIGNATURE, "epoch": str(EPOCH)})
    return path


def _build(folder: Path, model: dict[str, Any]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    config = {
        **model,
        "text_card": write_tokenizer(folder / "tokenizer.model"),
        "moshi_name": "model.safetensors",
        "mimi_name": "mimi.safetensors",
        "mimi_config_name": "mimi_config.json",
        "tokenizer_name": "tokenizer.model",
    }
    (folder / "config.json").write_text(json.dumps(config, indent=1))
    (folder / "mimi_config.json").write_text(json.dumps(MIMI, indent=1))
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(SEED)
        _save(_random_lm(config), folder / "model.safetensors")
        _save(_random_mimi(), folder / "mimi.safetensors")
    return folder


def write_tokenizer(path: Path) -> int:
    """Write a tokenizer and return its vocabulary size. Its special ids are the originals': 3 pads, 0 begins a word."""
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(TEXTS * 20),
        model_writer=model,
        vocab_size=400,
        hard_vocab_limit=False,
        model_type="bpe",
        byte_fallback=True,
        split_digits=True,
        character_coverage=1.0,
        unk_id=0,
        bos_id=1,
        eos_id=2,
        pad_id=3,
        minloglevel=2,
    )
    path.write_bytes(model.getvalue())
    return int(sentencepiece.SentencePieceProcessor(model_proto=model.getvalue()).get_piece_size())


def _random_lm(config: dict[str, Any]) -> LMModel:
    architecture = {key: value for key, value in deepcopy(config).items() if key not in USAGE_KEYS}
    lm = loaders.get_moshi_lm(None, architecture, device="cpu", dtype=torch.float32)
    lm.text_linear.weight[[0, 3]] *= 4  # a trained model emits these two, pad and word begin, most of the time
    return lm


def _random_mimi() -> MimiModel:
    mimi = loaders.get_mimi(None, MIMI, num_codebooks=8)
    for module in mimi.modules():
        if type(module).__name__ == "EuclideanCodebook":  # initially all zero: all audio would be code 0
            module.embedding_sum.normal_(0, 0.3)
            module.cluster_usage.fill_(1)
            module._initialized.fill_(1)
    for parameter in mimi.parameters():
        if parameter.dim() == 3:  # convolutions; initially their biases outweigh the audio
            parameter *= 2.5
    return mimi


def _save(model: torch.nn.Module, path: Path) -> None:
    save_file({name: tensor.contiguous().clone() for name, tensor in model.state_dict().items()}, path)
