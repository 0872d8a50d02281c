"""`make gpu-check`, rehearsed on the CPU with small models: every section runs, and no check of correctness fails."""

from pathlib import Path

import pytest
import torch

from benchmarks.gpu_check import __main__ as gpu_check
from benchmarks.gpu_check import parity
from benchmarks.gpu_check.check import Check
from benchmarks.gpu_check.models import Checkpoints
from benchmarks.gpu_check.report import Budget, Report

pytestmark = pytest.mark.models

STT_ROWS = [
    "tokens as in the package, float32",
    "logits as in the package, bfloat16",
    "CUDA graphs",
    "load 2 slots",
    "1 streams",
    "2 streams",
    "most streams with a p99 under 60 ms",
]
ROWS = {
    "stt-1b": STT_ROWS,
    "tts-8": ["frames as in the package, float32", "logits as in the package, bfloat16", "CUDA graphs", "1 streams"],
    "memory": [
        f"{kind}, {row}"
        for kind in ("speech to text", "text to speech")
        for row in ("out of memory", "the others", "afterwards")
    ],
    "int8-stt": ["logits as in the package, int8", *STT_ROWS[3:]],
    "int8-tts": ["logits as in the package, int8", "1 streams"],
    "stt-2.6b": STT_ROWS,
    "moshi": ["load", "CUDA graphs", "1 streams", "2 streams", "most streams with a p99 under 60 ms"],
    "tts-16": ["1 streams"],
    "tts-32": ["1 streams"],
}


@pytest.fixture
def rehearse(checkpoints_folder, stt_checkpoint, tts_checkpoint, tmp_path):
    """Run sections, or all of them; return the exit status and the rows of each section, figures by name."""

    def rehearse(*sections: str) -> tuple[int, dict[str, dict[str, str]]]:
        path = tmp_path / "gpu_check.txt"
        only = ["--only", *sections] if sections else []
        arguments = ["--device", "cpu", "--small", "--folder", str(checkpoints_folder), "--output", str(path), *only]
        return gpu_check.main(arguments), rows_of(path)

    return rehearse


def rows_of(path: Path) -> dict[str, dict[str, str]]:
    sections: dict[str, dict[str, str]] = {}
    for line in path.read_text().splitlines():
        if line.startswith("  "):
            name, _, figures = line.strip().partition("  ")
            sections[list(sections)[-1]][name] = figures.strip()
        elif ": " in line:
            sections[line.partition(":")[0]] = {}
    return {name: rows for name, rows in sections.items() if rows}


@pytest.mark.timeout(480)  # ten seconds, on a machine with nothing else to do
def test_every_section_has_its_rows(rehearse):
    status, sections = rehearse()
    assert {name: list(rows) for name, rows in sections.items()} == ROWS
    not_run = {(name, row) for name, rows in sections.items() for row in rows if "not run" in rows[row]}
    assert not_run == {(name, "CUDA graphs") for name in ("stt-1b", "tts-8", "stt-2.6b", "moshi")}
    assert "FAILED" not in str(sections)
    assert status == 0


def test_a_deviation_from_the_package_fails(rehearse, monkeypatch):
    monkeypatch.setitem(parity.BOUNDS, "bfloat16", -1.0)
    status, sections = rehearse("stt-2.6b")
    assert sections["stt-2.6b"]["logits as in the package, bfloat16"].endswith("FAILED")
    assert status == 1


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu_it_says_how_to_rehearse():
    with pytest.raises(SystemExit, match=r"no CUDA GPU.* --device cpu --small"):
        gpu_check.main([])


def no_time() -> None:
    raise AssertionError("there is no time for it")


def out_of_memory() -> None:
    raise torch.OutOfMemoryError("no memory")


def fail() -> None:
    raise RuntimeError("CUDA error: an illegal memory access was encountered\nmore lines")


def test_a_part_that_cannot_run_is_listed_with_the_reason(tmp_path):
    report, budget = Report(tmp_path / "table.txt"), Budget(1000, {"section": 1.0})
    check = Check(Checkpoints(tmp_path, "cpu", small=True), report, budget)
    assert not check.part("large", out_of_memory)
    assert not check.part("broken", fail)
    assert not check.part("later", no_time)
    check.gpu_failure, check.budget = "", Budget(0, {})
    assert not check.part("late", no_time)
    assert [line.split(maxsplit=1)[1] for line in (tmp_path / "table.txt").read_text().splitlines()] == [
        "not run: out of memory: no memory",
        "RuntimeError: CUDA error: an illegal memory access was encountered   FAILED",
        "not run: the GPU failed: CUDA error: an illegal memory access was encountered",
        "not run: no time is left for this section",
    ]


def test_the_time_that_a_section_leaves_is_for_those_after_it():
    budget = Budget(1000, {"first": 1.0, "second": 1.0})
    budget.start("first")
    first = budget.seconds_left
    budget.start("second")
    assert first == pytest.approx(500, abs=60)
    assert budget.seconds_left == pytest.approx(1000, abs=60)
