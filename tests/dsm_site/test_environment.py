"""`.env.example` documents exactly the environment variables that are read."""

import ast

from tests.support.environment import ROOT, documented_variables

MODEL_VARIABLES = {
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
    "TTS_NONCOMMERCIAL_VOICES",
    "TTS_QUALITY",
    "TTS_REVISION",
    "TTS_VOICES",
    "TTS_VOICES_REVISION",
}
"""Variables read by inference/ and huggingface_hub."""


def read_variables() -> set[str]:
    """Names in calls like `env.str("NAME", …)`."""
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
    assert set(documented) == read_variables() | MODEL_VARIABLES
