"""Random checkpoints of Pocket TTS: real files, which the package's own loader reads like the original ones.

Imports torch, so it is for `test_pocket_*.py` and for fixtures that skip without it.
"""

from pathlib import Path
from typing import Any

import torch
import yaml
from pocket_tts import TTSModel, export_model_state
from pocket_tts.utils.config import CONFIGS_DIR
from safetensors.torch import save_file

from tests.support.models.checkpoints import write_tokenizer

SEED = 5
NEVER, AT_ONCE = -100.0, 100.0
"""Biases of the model's end-of-speech output: it speaks as long as allowed, or as briefly as possible."""

TINY: dict[str, Any] = {
    "flow_lm": {
        "flow": {"depth": 1, "dim": 32},
        "transformer": {"d_model": 32, "hidden_scale": 2, "num_heads": 2, "num_layers": 2},
        "lookup_table": {"dim": 32},
    },
    "mimi": {
        "outer_dim": 32,
        "seanet": {"dimension": 32, "n_filters": 4},
        "transformer": {
            "d_model": 32,
            "num_heads": 2,
            "dim_feedforward": 64,
            "input_dimension": 32,
            "output_dimensions": [32],
            "layer_scale": 0.5,
        },
        "quantizer": {"output_dimension": 32},
    },
}


def build(folder: Path, sizes: dict[str, Any] = TINY, ends: float = NEVER, voices: tuple[str, ...] = ("ada",)) -> Path:
    """Build a checkpoint, its voices in `folder/voices`, and return the path of its configuration. With `sizes` empty
    it is as large as the original, 120 million parameters."""
    folder.mkdir(parents=True, exist_ok=True)
    config = yaml.safe_load((CONFIGS_DIR / "english.yaml").read_text())
    del config["weights_path"], config["weights_path_without_voice_cloning"]
    _merge(config, sizes)
    tokenizer = folder / "tokenizer.model"
    table = {"n_bins": write_tokenizer(tokenizer), "tokenizer": "sentencepiece", "tokenizer_path": str(tokenizer)}
    config["flow_lm"]["lookup_table"] |= table
    path = folder / "config.yaml"
    path.write_text(yaml.safe_dump(config))
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(SEED)
        model = TTSModel.load_model(config=path)
        model.flow_lm.speaker_proj_weight.normal_(0, 0.1)
        model.flow_lm.out_eos.bias.fill_(ends)
        (folder / "voices").mkdir(exist_ok=True)
        for name in voices:
            recording = 0.1 * torch.randn(1, model.sample_rate * 2)
            export_model_state(model.get_state_for_audio_prompt(recording), folder / "voices" / f"{name}.safetensors")
    weights = folder / "model.safetensors"
    save_file({name: tensor.contiguous() for name, tensor in model.state_dict().items()}, weights)
    path.write_text(yaml.safe_dump({**config, "weights_path": str(weights)}))
    return path


def _merge(config: dict[str, Any], changes: dict[str, Any]) -> None:
    for name, value in changes.items():
        if isinstance(value, dict):
            _merge(config[name], value)
        else:
            config[name] = value
