"""Engines by name, before they are loaded."""

import subprocess
import sys

import msgspec
import pytest
from django.core.management import CommandError

from inference.engine import EngineUnusable
from inference.engines import registry
from inference.engines.registry import ENGINES, RUNTIMES, engine_of
from inference.loading.preset_files import InvalidPreset
from inference.loading.presets import KINDS
from inference.management.options import chosen_engines
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


def test_presets_are_checked_for_the_kinds_that_a_package_runs():
    runtimes = {(package, kind) for package, kinds in KINDS.items() for kind in kinds}
    assert runtimes == {(runtime.package, runtime.kind) for runtime in RUNTIMES}


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


def test_engines_whose_model_would_be_replaced_by_the_same_one_are_rejected(monkeypatch):
    names = ["stt-1b-en_fr", "stt-2.6b-en", "tts-1.6b-en_fr", "whisper-base"]
    monkeypatch.setattr(registry.EngineInfo, "is_installed", True)
    assert [info.name for info, _ in chosen_engines(names, None)] == names
    monkeypatch.setenv("TTS_MODEL", "/models/tts")
    assert [info.name for info, _ in chosen_engines(names, None)] == names
    monkeypatch.setenv("STT_MODEL", "/models/stt")
    assert len(chosen_engines(names[1:], None)) == 3
    with pytest.raises(
        CommandError, match=r"STT_MODEL replaces the model of stt-1b-en_fr and stt-2.6b-en: .*unset STT_"
    ):
        chosen_engines(names, None)
