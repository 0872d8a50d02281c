"""Engines by name, before they are loaded."""

import subprocess
import sys

import msgspec
import pytest

from inference.engine import EngineUnusable
from inference.engines import registry
from inference.engines.registry import ENGINES, RUNTIMES, engine_of
from inference.loading.presets import InvalidPreset
from tests.support.environment import ROOT

PRESET = ENGINES["whisper-base"].preset


def test_the_module_of_each_engine_exists():
    factories = [entry.factory for entry in [*ENGINES.values(), *RUNTIMES]]
    files = [ROOT / factory.partition(":")[0].replace(".", "/") for factory in factories]
    assert all(file.with_suffix(".py").is_file() or (file / "__init__.py").is_file() for file in files)


def test_the_registry_imports_no_engine():
    code = "import sys, inference.engines.registry; print(*sys.modules)"
    modules = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    packages = ("inference.engines.stt", "inference.engines.tts", "inference.engines.testing")
    assert [name for name in modules.split() if name.startswith(packages)] == []


def test_a_preset_has_the_engine_of_its_package_and_kind():
    info = engine_of(msgspec.structs.replace(PRESET, name="mine"))
    assert (info.name, info.kind, info.factory) == ("mine", "stt", "inference.engines.stt.whisper:Whisper")
    assert not info.uses_torch
    assert ENGINES["stt-1b-en_fr"].uses_torch


@pytest.mark.parametrize(("package", "kind"), [("nemo", "stt"), ("faster-whisper", "tts")])
def test_a_preset_that_no_engine_runs_is_reported(package, kind):
    with pytest.raises(InvalidPreset, match=f"“whisper-base”: no engine runs “{kind}” models .* “{package}”"):
        engine_of(msgspec.structs.replace(PRESET, package=package, kind=kind))


def test_a_missing_package_is_reported_with_the_way_to_install_it(monkeypatch):
    def import_module(name):
        raise ModuleNotFoundError(name="moshi")

    monkeypatch.setattr(registry, "import_module", import_module)
    install = r"^Kyutai STT 1B requires moshi\. Install it: .*requirements/locked/torch\.txt"
    with pytest.raises(EngineUnusable, match=install):
        registry.load("stt-1b-en_fr", 1)
