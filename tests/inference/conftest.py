"""Small random checkpoints of Kyutai's models for the tests of their engines, which are marked `models`.

Modules named `test_moshi_*.py` and `test_pocket_*.py` import torch, which takes seconds: they are collected only if the
marked tests are selected, and skipped, without being imported, if the moshi package is missing.
"""

import os
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

os.environ.setdefault("NO_TORCH_COMPILE", "1")  # read when moshi is imported: compiling for the CPU takes 10 s
os.environ.setdefault("OMP_NUM_THREADS", "1")  # threads slow such small models down, and pytest has workers

HAS_MOSHI = find_spec("moshi") is not None
MOSHI_MISSING = (
    "requires the moshi package, which does not support Python 3.14: use Python 3.11 to 3.13"
    if sys.version_info >= (3, 14)
    else "requires the moshi package, which `make test-models` installs"
)


class SkippedModule(pytest.Module):
    def collect(self) -> list[pytest.Item]:
        pytest.skip(MOSHI_MISSING, allow_module_level=True)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    deselects_models = "not models" in config.option.markexpr
    return True if deselects_models and _requires_moshi(collection_path) else None


def _requires_moshi(path: Path) -> bool:
    return path.name.startswith(("test_moshi", "test_pocket_", "test_pocket."))


def pytest_pycollect_makemodule(module_path: Path, parent: pytest.Collector) -> pytest.Module | None:
    if _requires_moshi(module_path) and not HAS_MOSHI:
        return SkippedModule.from_parent(parent, path=module_path)
    return None


@pytest.fixture(scope="session")
def checkpoints_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not HAS_MOSHI:
        pytest.skip(MOSHI_MISSING)
    return tmp_path_factory.mktemp("checkpoints")


@pytest.fixture(scope="session")
def stt_checkpoint(checkpoints_folder: Path) -> Path:
    """Folder of a speech-to-text model with four pause-prediction heads."""
    from tests.support.models import checkpoints

    return checkpoints.build_stt(checkpoints_folder / "stt")


@pytest.fixture(scope="session")
def stt_checkpoint_without_heads(checkpoints_folder: Path) -> Path:
    """Folder of a speech-to-text model without pause-prediction heads."""
    from tests.support.models import checkpoints

    return checkpoints.build_stt(checkpoints_folder / "stt-without-heads", heads=0)


@pytest.fixture(scope="session")
def tts_checkpoint(checkpoints_folder: Path) -> Path:
    """Folder of a text-to-speech model, its voices in `voices`."""
    from tests.support.models import checkpoints

    return checkpoints.build_tts(checkpoints_folder / "tts")
