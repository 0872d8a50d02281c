"""`.env.example` documents what is read of the environment: all of it, and nothing else."""

import ast

from tests.support.environment import ROOT, documented_variables

OF_THE_MODELS = {
    "HF_HOME",
    "HF_HUB_OFFLINE",
    "MOSHI_DEVICE",
    "MOSHI_DTYPE",
    "MOSHI_MODEL_PARAMS_BILLIONS",
    "MOSHI_PER_BATCH_ITEM_MB",
    "MOSHI_VRAM_RESERVED_MB",
    "PRESETS_FILE",
    "STT_MEMORY_MB",
    "STT_MODEL",
    "STT_REVISION",
    "TTS_MEMORY_MB",
    "TTS_MODEL",
    "TTS_QUALITY",
    "TTS_REVISION",
    "TTS_VOICES",
}
"""Read where the models are loaded, by inference/loading/ and huggingface_hub."""


def read_variables() -> set[str]:
    """The names in `env.str("NAME", …)` and its like."""
    return {
        str(node.args[0].value)
        for file in ("environment.py", "settings.py")
        for node in ast.walk(ast.parse((ROOT / "dsm_site" / file).read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and ast.unparse(node.func.value) == "env"
        and isinstance(node.args[0], ast.Constant)
    }


def test_every_variable_is_documented_once() -> None:
    documented = documented_variables()
    assert len(documented) == len(set(documented))
    assert set(documented) == read_variables() | OF_THE_MODELS
