"""Where a model runs and in what precision, and how many slots the memory there holds. Knows no model but its sizes."""

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from inference.engine import EngineUnusable
from inference.loading.presets import Preset

if TYPE_CHECKING:
    import torch

Kind = Literal["cuda", "mps", "cpu"]

MIMI_MB = 385
"""The codec's weights in float32."""
VRAM_RESERVED_MB = 2048
"""Left to activations, CUDA graphs and others on the card; MOSHI_VRAM_RESERVED_MB says otherwise."""
CPU_RESERVED_MB = 1024
CORES_PER_SLOT = 2
"""A stream of the smallest model keeps two cores busy (`benchmarks/stt_engine.py`)."""
MOST_SLOTS = 4096
BYTES = {"float32": 4, "bfloat16": 2, "float16": 2, "int8": 1}


class DoesNotFit(EngineUnusable):
    """What is wrong with the device, or too large for it, and what to do, in words."""


@dataclass(frozen=True)
class Device:
    kind: Kind
    name: str  # as people call it
    index: int = 0
    capability: tuple[int, int] | None = None  # of CUDA
    free_mb: float = 0.0
    cores: int = 1

    @property
    def torch_name(self) -> str:
        return f"cuda:{self.index}" if self.kind == "cuda" else self.kind


@dataclass(frozen=True)
class Plan:
    """What a preset becomes on a device."""

    device: Device
    dtype: str  # of weights and activations; with int8 weights, which are for the CPU, the activations are float32
    slots: int
    weights_mb: float
    slot_mb: float

    @property
    def torch_dtype(self) -> "torch.dtype":
        """In which the weights are read; those in int8 are made of bfloat16."""
        import torch

        dtype: torch.dtype = torch.bfloat16 if self.dtype == "int8" else getattr(torch, self.dtype)
        return dtype

    def __str__(self) -> str:
        return (
            f"{self.device.name}, {self.dtype}: {self.weights_mb:,.0f} MB of weights, {self.slots} slots of "
            f"{self.slot_mb:,.0f} MB, {self.device.free_mb:,.0f} MB free before"
        )


def has_cuda() -> bool:
    """Whether a model would run on a GPU here; asks torch only where NVIDIA's driver is."""
    if not (shutil.which("nvidia-smi") or Path("/dev/nvidiactl").exists()) or find_spec("torch") is None:
        return False
    import torch

    return torch.cuda.is_available()


@dataclass(frozen=True)
class GraphicsCard:
    name: str
    free_bytes: int
    utilization: int  # percent


def graphics_cards() -> list[GraphicsCard]:
    """Those of NVIDIA, as its driver sees them; none where it, or the package that asks it, is not there."""
    if find_spec("pynvml") is None or not Path("/dev/nvidiactl").exists():
        return []
    import pynvml

    pynvml.nvmlInit()
    cards = [pynvml.nvmlDeviceGetHandleByIndex(index) for index in range(pynvml.nvmlDeviceGetCount())]
    return [
        GraphicsCard(
            f"{index} {pynvml.nvmlDeviceGetName(card)}",
            pynvml.nvmlDeviceGetMemoryInfo(card).free,
            pynvml.nvmlDeviceGetUtilizationRates(card).gpu,
        )
        for index, card in enumerate(cards)
    ]


def find_device(wish: str = "auto") -> Device:
    """The device of that name, or the best one there is. Raises `DoesNotFit` if there is none of that name."""
    import torch

    kind, _, index = wish.partition(":")
    if kind not in ("auto", "cuda", "mps", "cpu") or (index and not index.isdecimal()):
        raise DoesNotFit(f"There is no device “{wish}”. MOSHI_DEVICE is auto, cuda, cuda:1, mps or cpu.")
    if kind in ("auto", "cuda") and torch.cuda.is_available():
        if (number := int(index or 0)) < torch.cuda.device_count():
            return _cuda(number)
        raise DoesNotFit(f"There are {torch.cuda.device_count()} GPUs here, counted from 0, and no “{wish}”.")
    if kind == "cuda":
        raise DoesNotFit("MOSHI_DEVICE asks for a CUDA GPU, and torch finds none. Does nvidia-smi show it?")
    if kind in ("auto", "mps") and torch.backends.mps.is_available():
        return Device("mps", "Apple GPU", free_mb=_free_memory_mb(), cores=_cores())
    if kind == "mps":
        raise DoesNotFit("MOSHI_DEVICE asks for Apple's GPU, and torch finds none.")
    return Device("cpu", f"CPU with {_cores()} cores", free_mb=_free_memory_mb(), cores=_cores())


def plan(preset: Preset, device: Device, slots: int = 0, environment: Mapping[str, str] | None = None) -> Plan:
    """How the preset runs on the device, with so many slots or, for 0, as many as it carries.

    Raises `DoesNotFit`, before anything is loaded. Weights and slots of the preset are given for bfloat16: they count
    double in float32, and with weights in int8, which halves those, the slots do.
    """
    environment = os.environ if environment is None else environment
    dtype = preset.dtype if preset.dtype != "auto" else dtype_for(device)
    on_cpu = device.kind == "cpu"
    if dtype == "int8" and not on_cpu:
        raise DoesNotFit(f"int8 weights are for the CPU, and {preset.label} is to run on {device.name}.")
    billions = _number(environment, "MOSHI_MODEL_PARAMS_BILLIONS", preset.params_billions)
    weights_mb = 1000 * billions * BYTES[dtype] + MIMI_MB
    slot_mb = preset.slot_mb * (2 if dtype in ("float32", "int8") else 1)
    slot_mb = _number(environment, "MOSHI_PER_BATCH_ITEM_MB", slot_mb)
    reserve = CPU_RESERVED_MB if on_cpu else _number(environment, "MOSHI_VRAM_RESERVED_MB", VRAM_RESERVED_MB)
    memory_mb = min(device.free_mb - reserve, preset.memory_mb or device.free_mb)
    room = min(int((memory_mb - weights_mb) / max(slot_mb, 1)), MOST_SLOTS)
    carried = min(room, max(1, device.cores // CORES_PER_SLOT)) if on_cpu else room
    wanted = slots or preset.slots
    if room < max(wanted, 1):
        with_slots = f" with {wanted} slots" if wanted else ""
        its_own = f", of which it may have {preset.memory_mb:,.0f}" if preset.memory_mb else ""
        raise DoesNotFit(
            f"{preset.label} does not fit{with_slots}: it needs {weights_mb:,.0f} MB for its weights, {slot_mb:,.0f} "
            f"MB for each stream and {reserve:,.0f} MB in reserve, and {device.name} has {device.free_mb:,.0f} MB "
            f"free{its_own}. Free memory there, choose a smaller preset or fewer slots, or lower "
            "MOSHI_VRAM_RESERVED_MB."
        )
    return Plan(device, dtype, wanted or carried, weights_mb, slot_mb)


def dtype_for(device: Device) -> str:
    """bfloat16 where the hardware computes it, from capability 8.0; float16 from 7.5 and on Apple's; else float32. On
    the CPU weights in int8, which are half as much to read."""
    if device.kind == "cpu":
        return "int8"
    if device.capability and device.capability < (7, 5):
        return "float32"
    return "bfloat16" if device.capability and device.capability >= (8, 0) else "float16"


def _number(environment: Mapping[str, str], name: str, default: float) -> float:
    value = environment.get(name)
    try:
        number = float(value) if value else default
    except ValueError:
        number = -1
    if number < 0:
        raise DoesNotFit(f"{name} is “{value}”, and should be a number from 0.")
    return number


def _cuda(index: int) -> Device:
    import torch

    torch.cuda.empty_cache()  # an engine that was here before has left what it kept for itself
    free, _ = torch.cuda.mem_get_info(index)
    capability = torch.cuda.get_device_capability(index)
    return Device("cuda", torch.cuda.get_device_name(index), index, capability, free / 1e6, _cores())


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _free_memory_mb() -> float:
    """What programs can still have; where the system does not say, half of what is built in."""
    if (meminfo := Path("/proc/meminfo")).exists():
        values = dict(line.split(":", 1) for line in meminfo.read_text().splitlines())
        return int(values["MemAvailable"].split()[0]) * 1024 / 1e6
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2 / 1e6
