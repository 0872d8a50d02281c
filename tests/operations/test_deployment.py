"""Deployment files are valid and consistent with each other and the site."""

import configparser
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft7Validator

from tests.support.environment import ROOT, documented_variables

UNITS = sorted((ROOT / "deploy/systemd").iterdir())
SCRIPTS = [*sorted((ROOT / "scripts").glob("*.sh")), *sorted((ROOT / "deploy").glob("*.sh"))]
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text())
MANIFESTS = [
    manifest
    for path in sorted((ROOT / "deploy/kubernetes").glob("*.yaml"))
    if path.name != "kustomization.yaml"
    for manifest in yaml.safe_load_all(path.read_text())
]
TOOL_VARIABLES = {"HF_HOME", "PYTHONUNBUFFERED", "PATH"}


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_scripts_pass_shellcheck(script):
    shellcheck = Path(sys.executable).with_name("shellcheck")
    done = subprocess.run([shellcheck, script], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    assert script.stat().st_mode & 0o111


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_units_run_existing_commands(unit):
    config = configparser.ConfigParser(strict=False, interpolation=None)
    config.optionxform = str
    config.read(unit)
    assert config["Unit"]["Description"]
    if unit.suffix != ".service":
        return
    service = config["Service"]
    assert service["User"] == "speech"
    command = re.fullmatch(r"@PREFIX@/\.venv/bin/python manage\.py (\w+).*", service["ExecStart"])
    assert command
    assert list(ROOT.glob(f"*/management/commands/{command[1]}.py"))


def test_uninstall_removes_every_unit():
    uninstall = (ROOT / "deploy/uninstall.sh").read_text()
    for unit in UNITS:
        assert f"/{unit.name}" in uninstall or f"/{unit.stem}.*" in uninstall


def test_the_compose_file_is_valid():
    schema = json.loads((ROOT / "tests/vendor/compose-spec/compose-spec.json").read_text())
    assert [error.message for error in Draft7Validator(schema).iter_errors(COMPOSE)] == []


@pytest.mark.parametrize("name", COMPOSE["services"])
def test_compose_services_are_complete(name):
    service = COMPOSE["services"][name]
    assert service["image"]
    assert service["restart"] == "unless-stopped"
    for volume in service.get("volumes", []):
        source = volume.partition(":")[0]
        assert source in COMPOSE["volumes"] or (ROOT / source).exists()
    for other in service.get("depends_on", []):
        assert other in COMPOSE["services"]
        if isinstance(service["depends_on"], dict):
            assert "healthcheck" in COMPOSE["services"][other]


def test_compose_sets_only_known_variables():
    known = set(documented_variables()) | TOOL_VARIABLES
    for name in ("web", "inference", "inference-gpu"):
        assert set(COMPOSE["services"][name]["environment"]) <= known
    variables = set(re.findall(r"\$\{([A-Z_]+)", (ROOT / "compose.yaml").read_text()))
    assert variables - known == {"POSTGRES_PASSWORD", "SPEECH_IMAGE", "SPEECH_GPU_IMAGE"}


def test_the_dockerfile_copies_existing_files():
    dockerfile = (ROOT / "deploy/Dockerfile").read_text()
    for source in re.findall(r"^COPY (?!--from)(\S+)", dockerfile, re.M):
        assert (ROOT / source).exists()
    assert (
        set(re.findall(r"\b([A-Z_]+)=", dockerfile.partition("ENV ")[2]))
        <= set(documented_variables()) | TOOL_VARIABLES
    )


def test_kubernetes_probes_existing_urls():
    paths = {
        probe["httpGet"]["path"]
        for manifest in MANIFESTS
        if manifest["kind"] == "Deployment"
        for container in manifest["spec"]["template"]["spec"]["containers"]
        for name, probe in container.items()
        if name.endswith("Probe")
    }
    assert paths == {"/health", "/ready", "/metrics"}
    settings = next(manifest["data"] for manifest in MANIFESTS if manifest["kind"] == "ConfigMap")
    assert set(settings) <= set(documented_variables())


def test_the_grace_period_of_pods_exceeds_the_drain_time():
    for manifest in MANIFESTS:
        if manifest["kind"] == "Deployment":
            assert manifest["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] >= 15
