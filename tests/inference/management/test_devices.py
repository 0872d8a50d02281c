"""The options for several devices, and what a process of one of them is given."""

import json

import pytest
from django.core.management import CommandError

from inference.engines.registry import ENGINES
from inference.loading import device
from inference.management import options
from inference.management.devices import environment_of, labelled
from inference.management.options import chosen_devices, engine_arguments
from operations.management.commands import serve


@pytest.mark.parametrize(
    ("given", "devices"),
    [
        ({"gpus": "0,2"}, ["cuda:0", "cuda:2"]),
        ({"gpus": "all"}, ["cuda:0", "cuda:1", "cuda:2"]),
        ({"devices": "cuda:1,mps,cpu,cpu"}, ["cuda:1", "mps", "cpu", "cpu"]),
        ({}, []),
    ],
)
def test_devices_are_named_or_all_gpus(monkeypatch, given, devices):
    monkeypatch.setattr(options, "visible_gpus", lambda: ["0", "1", "2"])
    assert chosen_devices(**{"gpus": None, "devices": None} | given) == devices


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"gpus": "first"}, "Invalid --gpus “first”. Use all, or numbers such as 0,1."),
        ({"devices": "cuda"}, "Unknown device “cuda” in --devices. Use cuda:0, cuda:1 and so on, mps or cpu."),
        ({"gpus": "all"}, "No GPU found: nvidia-smi lists none."),
    ],
)
def test_an_invalid_device_is_reported(monkeypatch, given, error):
    monkeypatch.setattr(options, "visible_gpus", list)
    with pytest.raises(CommandError) as raised:
        chosen_devices(**{"gpus": None, "devices": None} | given)
    assert str(raised.value).startswith(error)


def test_gpus_are_those_that_the_driver_lists_or_the_environment_allows(monkeypatch, tmp_path):
    assert device.visible_gpus({"CUDA_VISIBLE_DEVICES": "2, GPU-5f3a"}) == ["2", "GPU-5f3a"]
    assert device.visible_gpus({"CUDA_VISIBLE_DEVICES": ""}) == []
    driver = tmp_path / "nvidia-smi"
    driver.write_text(
        "#!/bin/sh\necho 'GPU 0: NVIDIA L4 (UUID: GPU-1)'\necho '  MIG 1g.10gb Device 0:'\necho 'GPU 1: NVIDIA L4'\n"
    )
    driver.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert device.visible_gpus({}) == ["0", "1"]
    driver.unlink()
    assert device.visible_gpus({}) == []


def test_a_process_sees_its_own_gpu_only():
    assert environment_of("cuda:1", 0, {}) == {"MOSHI_DEVICE": "cuda", "CUDA_VISIBLE_DEVICES": "1"}
    allowed = {"CUDA_VISIBLE_DEVICES": "4,7"}
    assert environment_of("cuda:1", 0, allowed) == {"MOSHI_DEVICE": "cuda", "CUDA_VISIBLE_DEVICES": "7"}
    assert environment_of("cpu", 0, allowed) == {"MOSHI_DEVICE": "cpu", "CUDA_VISIBLE_DEVICES": ""}


@pytest.mark.parametrize(("endpoint", "its_own"), [("9101", "9103"), ("0.0.0.0:9101", "0.0.0.0:9103")])
def test_a_process_has_a_metrics_port_and_a_log_file_of_its_own(endpoint, its_own):
    environment = environment_of("cpu", 2, {"METRICS_PORT": endpoint, "LOG_FILE": "/var/log/speech/inference.log"})
    assert environment["METRICS_PORT"] == its_own
    assert environment["LOG_FILE"] == "/var/log/speech/inference-2.log"


def test_lines_of_output_have_the_name_of_the_device_and_json_stays_json():
    assert labelled("Engine Checksum, 2 slots\n", "cuda:0") == "[cuda:0] Engine Checksum, 2 slots\n"
    assert json.loads(labelled('{"level": "info", "message": "Hi."}\n', "cuda:0")) == {
        "device": "cuda:0",
        "level": "info",
        "message": "Hi.",
    }


def test_the_options_of_engines_are_passed_on():
    assert engine_arguments(["checksum", "tones"], 0) == ["--engine", "checksum", "--engine", "tones", "--slots", "0"]
    assert engine_arguments(None, None) == []


@pytest.mark.parametrize(
    ("gpus", "engine", "mentioned"), [(2, "stt-1b-en_fr", 1), (1, "stt-1b-en_fr", 0), (2, "piper", 0)]
)
def test_a_site_in_one_process_mentions_that_it_uses_one_of_several_gpus(monkeypatch, caplog, gpus, engine, mentioned):
    caplog.set_level("INFO", logger="speech")
    monkeypatch.setattr(serve, "visible_gpus", lambda: ["0"] * gpus)
    serve._mention_other_gpus([(ENGINES[engine], 0)])
    assert caplog.text.count("this process uses one of 2 GPUs") == mentioned
