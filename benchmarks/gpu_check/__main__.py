"""Check of Kyutai's models on a GPU, without a network: `make gpu-check`, or

    python -m benchmarks.gpu_check                              all sections, on the first CUDA GPU
    python -m benchmarks.gpu_check --only stt-1b memory         only these sections
    python -m benchmarks.gpu_check --device cpu --small         a rehearsal with small models

The weights are random, which affects neither the speed nor the comparison with the moshi package. A complete run on a
GPU writes its table to benchmarks/results/gpu_check.txt. Fails if an engine and the package differ, or memory that runs
out ends more than the newest quarter of the streams; what has no time or memory left is listed as “not run”.
"""

import os

os.environ.setdefault("NO_TORCH_COMPILE", "1")  # read when moshi is imported

import argparse
import logging
import platform
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.gpu_check.check import Check
    from benchmarks.gpu_check.report import Report

RESULTS = Path(__file__).parents[1] / "results" / "gpu_check.txt"
SECTIONS = {
    "stt-1b": 2.0,
    "tts-8": 2.0,
    "memory": 1.0,
    "int8-stt": 1.0,
    "int8-tts": 1.0,
    "stt-2.6b": 2.0,
    "moshi": 1.5,
    "tts-16": 1.0,
    "tts-32": 1.0,
}
"""The sections, in their order, and their shares of the time."""
REHEARSAL = "To rehearse it with small models: python -m benchmarks.gpu_check --device cpu --small"


def main(arguments: list[str] | None = None) -> int:
    """Return the exit status: 1 if a check of correctness failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda:0", help="cuda:0, cuda:1 … or cpu")
    parser.add_argument("--small", action="store_true", help="small models instead of those of full size")
    parser.add_argument("--only", nargs="+", choices=SECTIONS, default=list(SECTIONS), metavar="SECTION")
    parser.add_argument("--minutes", type=float, default=8, help="after which the command ends")
    parser.add_argument("--output", type=Path, help="file of the table")
    parser.add_argument("--folder", type=Path, help="folder of the models' files; default: a temporary one")
    options = parser.parse_args(arguments)
    _require_packages()
    if options.device.startswith("cuda"):
        _require_gpu(options.device)
        if not options.small and options.only == list(SECTIONS):
            options.output = options.output or RESULTS
    with tempfile.TemporaryDirectory() as folder:
        return _run(options, options.folder or Path(folder))


def _require_packages() -> None:
    if missing := [name for name in ("torch", "moshi") if find_spec(name) is None]:
        lacks = " and no ".join(missing)
        raise SystemExit(f"{sys.executable} has no {lacks}. Without GPU_CHECK_PYTHON, make gpu-check installs them.")


def _require_gpu(device: str) -> None:
    import torch

    if not torch.cuda.is_available():
        raise SystemExit(
            f"PyTorch {torch.__version__} finds no CUDA GPU. Required are a GPU, NVIDIA's driver (nvidia-smi lists the "
            f"GPU) and a PyTorch for CUDA instead of the CPU. {REHEARSAL}"
        )
    torch.cuda.set_device(device)


def _run(options: argparse.Namespace, folder: Path) -> int:
    from benchmarks.gpu_check.check import Check
    from benchmarks.gpu_check.models import Checkpoints
    from benchmarks.gpu_check.report import Budget, Report

    report = Report(options.output)
    shares = {name: share for name, share in SECTIONS.items() if name in options.only}
    budget = Budget(0.95 * 60 * options.minutes, shares)  # a part that began in time ends a little later
    check = Check(Checkpoints(folder, options.device, small=options.small), report, budget)
    for line in _machine(options):
        report.line(line)
    watchdog = threading.Timer(60 * options.minutes, partial(_end, report))
    watchdog.daemon = True
    watchdog.start()
    with check.checkpoints.loaded():
        for name in shares:
            title, run = _section(name)
            report.section(name, title)
            budget.start(name)
            run(check)
    watchdog.cancel()
    report.line(f"\n{len(report.failed)} checks failed" + (f": {'; '.join(report.failed)}" if report.failed else ""))
    return 1 if report.failed else 0


def _end(report: "Report") -> None:
    """End the process even if a step hangs: the table has all that was measured."""
    report.line("\nnot run: the rest, because the time is up")
    os._exit(1)


def _section(name: str) -> tuple[str, Callable[["Check"], None]]:
    from benchmarks.gpu_check import dialogue, int8, memory, models, stt, tts

    return {
        "stt-1b": ("Kyutai STT 1B", partial(stt.run, name=models.STT_1B)),
        "stt-2.6b": ("Kyutai STT 2.6B", partial(stt.run, name=models.STT_2_6B)),
        "tts-8": ("Kyutai TTS 1.6B, 8 codebooks", partial(tts.run, codebooks=8)),
        "tts-16": ("Kyutai TTS 1.6B, 16 codebooks", partial(tts.run, codebooks=16)),
        "tts-32": ("Kyutai TTS 1.6B, 32 codebooks", partial(tts.run, codebooks=32)),
        "int8-stt": ("Kyutai STT 1B, weights in int8", int8.run_stt),
        "int8-tts": ("Kyutai TTS 1.6B, weights in int8", int8.run_tts),
        "memory": ("memory that runs out in a step", memory.run),
        "moshi": ("Moshi 7B, the package's own loop", dialogue.run),
    }[name]


def _machine(options: argparse.Namespace) -> list[str]:
    import moshi
    import torch

    lines = [
        f"$ python -m benchmarks.gpu_check {' '.join(sys.argv[1:])}".rstrip(),
        f"{datetime.now(UTC):%Y-%m-%d}, commit {_output('git', 'rev-parse', '--short', 'HEAD') or 'unknown'}",
        f"{os.cpu_count()} cores ({platform.machine()}), Python {platform.python_version()}, torch {torch.__version__}",
        f"moshi {moshi.__version__}; {'small models' if options.small else 'full size'}, random weights",
    ]
    if options.device.startswith("cuda"):
        properties = torch.cuda.get_device_properties(options.device)
        driver = _output("nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader").partition("\n")[0]
        lines.append(
            f"{properties.name}, {properties.total_memory / 1e6:,.0f} MB, driver {driver or 'unknown'}, CUDA "
            f"{torch.version.cuda}"
        )
    else:
        lines.append("on the CPU: nothing here says anything about a GPU")
    return lines


def _output(*command: str) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=10).stdout.strip()
    except (OSError, subprocess.TimeoutExpired):
        return ""


if __name__ == "__main__":
    logging.getLogger("inference").setLevel(logging.CRITICAL)  # the table says all that matters here
    sys.exit(main())
